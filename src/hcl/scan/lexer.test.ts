/** Tokens, comments, and where a refused character stands. */
// biome-ignore-all lint/suspicious/noTemplateCurlyInString: HCL's interpolation looks like JavaScript's
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HclError } from "../errors.ts";
import { Lexer } from "./lexer.ts";

/** `type:text` of every token up to the end. */
function tokens(text: string): string[] {
  const lexer = new Lexer(text);
  const found: string[] = [];
  for (let token = lexer.next(); token.type !== "end"; token = lexer.next()) {
    found.push(token.type === token.text ? token.type : `${token.type}:${token.text}`);
  }
  return found;
}

function refusal(text: string): string {
  try {
    tokens(text);
  } catch (error) {
    assert.ok(error instanceof HclError);
    return `${error.code} ${error.line}:${error.column}`;
  }
  return "accepted";
}

describe("Lexer", () => {
  it("cuts identifiers with letters of any script, digits, dots and dashes", () => {
    assert.deepEqual(tokens("a.b-c _1 é日本 𝐀x"), ["ident:a.b-c", "ident:_1", "ident:é日本", "ident:𝐀x"]);
    assert.deepEqual(tokens("true false trueish True"), ["bool:true", "bool:false", "ident:trueish", "ident:True"]);
  });

  it("needs no white space between tokens", () => {
    assert.deepEqual(tokens('a=1b="x"c{}'), [
      "ident:a",
      "=",
      "number:1",
      "ident:b",
      "=",
      'string:"x"',
      "ident:c",
      "{",
      "}",
    ]);
  });

  it("skips all three kinds of comment", () => {
    assert.deepEqual(tokens("# a = 1\n// b\n/* c\n */ /**/ x # end"), ["ident:x"]);
    assert.deepEqual(tokens("/***/x/* ** / */"), ["ident:x"]);
    assert.equal(refusal("x /* never"), "UNTERMINATED_COMMENT 1:3");
    assert.equal(refusal("/*/"), "UNTERMINATED_COMMENT 1:1");
    assert.equal(refusal("a / b"), "INVALID_CHARACTER 1:3");
  });

  it("knows the numbers of hcl1", () => {
    for (const number of ["0", "42", "-7", "0x1F", "0XaB", "-0x1", "007", "08"])
      assert.deepEqual(tokens(number), [`number:${number}`]);
    for (const number of ["1.5", "-1.5", "1.", ".5", "0.5", "08.5", "1e3", "1E+3", "1.5e-3", "1.e3"]) {
      assert.deepEqual(tokens(number), [`float:${number}`]);
    }
    assert.deepEqual(tokens("-.5"), ["-", "float:.5"]);
    assert.deepEqual(tokens("1_0"), ["number:1", "ident:_0"]);
    assert.deepEqual(tokens(".5e3"), ["float:.5e", "number:3"]);
    assert.deepEqual(tokens("1e, 2"), ["float:1e,", "number:2"]);
    assert.equal(refusal("0x"), "INVALID_NUMBER 1:1");
    assert.equal(refusal("a = -018"), "INVALID_NUMBER 1:6");
  });

  it("refuses NUL, U+E123 and half a surrogate pair anywhere, and a byte order mark outside strings", () => {
    assert.equal(refusal("# \0"), "INVALID_CHARACTER 1:3");
    assert.equal(refusal('a = "é\ue123"'), "INVALID_CHARACTER 1:7");
    assert.equal(refusal("a\n# \ud800 b"), "INVALID_CHARACTER 2:3");
    assert.equal(refusal("\ufeffa = 1"), "INVALID_CHARACTER 1:1");
    assert.deepEqual(tokens('"\ufeff"'), ['string:"\ufeff"']);
  });

  it("refuses characters HCL has no use for, and names them", () => {
    for (const char of [";", ":", "'", "!", "\u00a0", "\u2028", "😀"])
      assert.equal(refusal(`a ${char}`), "INVALID_CHARACTER 1:3");
    assert.throws(() => tokens("a ;"), { message: 'line 1, column 3: ";" (U+003B) is not allowed here' });
  });

  it("ends a string at the first quote outside ${ }", () => {
    assert.deepEqual(tokens('"a" "${f("x")}" "\\""'), ['string:"a"', 'string:"${f("x")}"', 'string:"\\""']);
    assert.deepEqual(tokens('"${a\nb}"'), ['string:"${a\nb}"']);
    assert.deepEqual(tokens('"${{}"}"'), ['string:"${{}"}"']);
    assert.equal(refusal('a = "x\n"'), "UNTERMINATED_STRING 1:5");
    assert.equal(refusal('a = "${"'), "UNTERMINATED_STRING 1:5");
    assert.equal(refusal('a = "\\'), "UNTERMINATED_STRING 1:5");
  });

  it("refuses escapes that do not exist, inside ${ } as well", () => {
    for (const bad of ["\\d", "\\/", "\\'", "\\u12", "\\x4", "\\8", "\\12"])
      assert.equal(refusal(`"a${bad}"`), "INVALID_ESCAPE 1:3");
    assert.equal(refusal('"${\\d}"'), "INVALID_ESCAPE 1:4");
    assert.equal(refusal('"\\u12'), "UNTERMINATED_STRING 1:1");
  });

  it("counts columns in characters and lines at newlines, \\r\\n being one", () => {
    const lexer = new Lexer('é = "😀"  x\r\n\ty');
    const places = Array.from({ length: 5 }, () => lexer.next().position);
    assert.deepEqual(
      places.map(({ line, column }) => `${line}:${column}`),
      ["1:1", "1:3", "1:5", "1:10", "2:2"],
    );
  });
});
