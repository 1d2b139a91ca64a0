/** Lines out of bytes that come in any pieces. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { LineSplitter } from "./line-splitter.ts";

function split(chunks: readonly Buffer[], maxBytes = 1000): string[] {
  const lines: string[] = [];
  const splitter = new LineSplitter((line) => lines.push(line), maxBytes);
  for (const chunk of chunks) splitter.push(chunk);
  splitter.end();
  return lines;
}

describe("LineSplitter", () => {
  it("gives the same lines however the bytes arrive", () => {
    const line = fc.string({ unit: "grapheme", maxLength: 20 }).map((text) => text.replace(/[\r\n]/g, ""));
    fc.assert(
      fc.property(fc.array(line, { minLength: 1 }), fc.nat(7), (lines, size) => {
        const bytes = Buffer.from(`${lines.join("\n")}\n`);
        const chunks: Buffer[] = [];
        for (let start = 0; start < bytes.length; start += size + 1)
          chunks.push(bytes.subarray(start, start + size + 1));
        assert.deepEqual(split(chunks), lines);
      }),
      { numRuns: 100, seed: 3 },
    );
  });

  it("drops the carriage return of a line end", () => {
    assert.deepEqual(split([Buffer.from("a\r\nb\r\n")]), ["a", "b"]);
  });

  it("gives the unfinished last line at the end", () => {
    assert.deepEqual(split([Buffer.from("a\nrest")]), ["a", "rest"]);
  });

  it("gives a line that is too long in pieces", () => {
    assert.deepEqual(split([Buffer.from("aaabbbc\nd")], 3), ["aaabbbc", "d"]);
    assert.deepEqual(split([Buffer.from("aaabb"), Buffer.from("bc\nd")], 3), ["aaa", "bbbc", "d"]);
  });
});
