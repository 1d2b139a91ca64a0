/** Where heredocs end, and what hcl1 leaves of their white space. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HclError } from "../errors.ts";
import { parseHcl } from "../parse-hcl.ts";

function value(heredoc: string): string {
  const item = parseHcl(`a = ${heredoc}`).items[0];
  assert.ok(item?.value.kind === "string" && item.value.form === "heredoc");
  return item.value.value;
}

function refuses(heredoc: string, code: string): void {
  assert.throws(
    () => parseHcl(`a = ${heredoc}`),
    (error) => error instanceof HclError && error.code === code,
    heredoc,
  );
}

describe("heredocs", () => {
  it("hold their lines as they are, last line end included", () => {
    assert.equal(value("<<EOF\none\n  two\nEOF\n"), "one\n  two\n");
    assert.equal(value("<<EOF\nEOF\n"), "");
    assert.equal(value("<<EOF\n\nEOF\n"), "\n");
    assert.equal(value('<<EOF\n${x} "q" \\n # no comment\nEOF\n'), '${x} "q" \\n # no comment\n');
  });

  it("close at the first line that is only white space and the anchor", () => {
    assert.equal(value("<<EOF\nEOFX\n XEOF\nEOF \nEOF\n"), "EOFX\n XEOF\nEOF \n");
    assert.equal(value("<<EOF\nx\n  EOF\n"), "x\n  ", "white space before the anchor belongs to the value");
  });

  it("lose the closing line's indentation with <<-", () => {
    assert.equal(value("<<-EOF\n  x\n    y\n  EOF\n"), "x\n  y\n");
    assert.equal(value("<<-EOF\n\tx\n\tEOF\n"), "x\n");
  });

  it("keep all indentation with <<- when one line has less, even an empty one", () => {
    assert.equal(value("<<-EOF\n x\n  y\n  EOF\n"), " x\n  y\n");
    assert.equal(value("<<-EOF\n  x\n\n  EOF\n"), "  x\n\n");
  });

  it("are not closed by an unindented anchor after <<-: hcl1 wants a line as long as the opening", () => {
    refuses("<<-EOF\nx\nEOF\n", "UNTERMINATED_HEREDOC");
    assert.equal(value("<<-EOF\nx\n EOF\n"), "x\n");
  });

  it("may have anchors of digits and letters of any script", () => {
    assert.equal(value("<<é1_\nx\né1_\n"), "x\n");
    assert.equal(value("<<-é\n x\n é\n"), "x\n");
  });

  it("lose carriage returns at line ends like all the text", () => {
    assert.equal(value("<<EOF\r\nx\r\ny\r\nEOF\r\n"), "x\ny\n");
  });

  it("follow hcl1 where its byte arithmetic goes wrong over stray carriage returns", () => {
    assert.equal(value("<<EOF\nx\nEOF\r\r\n"), "x\nE");
    assert.equal(value("<<é\r\r\nx\né\r\r\n"), "x\n");
  });

  it("need a closing line with a line end, and a proper anchor", () => {
    refuses("<<EOF\nx\nEOF", "UNTERMINATED_HEREDOC");
    refuses("<<EOF\nx\n", "UNTERMINATED_HEREDOC");
    refuses("<<EOF", "UNTERMINATED_HEREDOC");
    refuses("<<\nx\n\n", "INVALID_HEREDOC");
    refuses("<<-\nx\n\n", "INVALID_HEREDOC");
    refuses("<<EOF x\nEOF\n", "INVALID_HEREDOC");
    refuses('<<"EOF"\nEOF\n', "INVALID_HEREDOC");
    refuses("<EOF\nEOF\n", "INVALID_HEREDOC");
  });

  it("are reported where they begin when unterminated", () => {
    assert.throws(() => parseHcl("\n a = <<EOF\nx\ny"), { code: "UNTERMINATED_HEREDOC", line: 2, column: 6 });
  });
});
