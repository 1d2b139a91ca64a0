/** Whole lines to a reader that is slow, full or closed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseHclogLine } from "../hclog/hclog-line.ts";
import { createStderrSink } from "./stderr-sink.ts";

/** A descriptor that takes at most `capacity` bytes until it is drained. */
function pipe(capacity: number) {
  const taken: Buffer[] = [];
  let room = capacity;
  return {
    text: () => Buffer.concat(taken).toString(),
    drain: () => {
      room = capacity;
    },
    write(bytes: Buffer): number {
      if (room === 0) throw Object.assign(new Error("busy"), { code: "EAGAIN" });
      const piece = bytes.subarray(0, room);
      taken.push(Buffer.from(piece));
      room -= piece.length;
      return piece.length;
    },
  };
}

describe("createStderrSink", () => {
  it("writes whole lines at once", () => {
    const to = pipe(1000);
    createStderrSink({ write: to.write, onClosed: assert.fail }).writeLine("one");
    assert.equal(to.text(), "one\n");
  });

  it("keeps order and loses nothing over short writes and a busy reader", () => {
    const to = pipe(5);
    const sink = createStderrSink({ write: to.write, onClosed: assert.fail });
    sink.writeLine("first line");
    sink.writeLine("second");
    assert.equal(to.text(), "first");
    for (let i = 0; i < 10; i += 1) {
      to.drain();
      sink.flush();
    }
    assert.equal(to.text(), "first line\nsecond\n");
  });

  it("tells how many lines were lost when they were not read for long", () => {
    const to = pipe(4096);
    const sink = createStderrSink({ write: to.write, onClosed: assert.fail });
    for (let i = 0; i < 30; i += 1) sink.writeLine("x".repeat(50_000));
    const readAll = (): void => {
      for (let i = 0; i < 400; i += 1) {
        to.drain();
        sink.flush();
      }
    };
    readAll();
    sink.writeLine("after");
    readAll();
    const lines = to.text().trimEnd().split("\n");
    const lost = lines.map(parseHclogLine).find((entry) => entry !== undefined);
    assert.ok(lines.includes("after"));
    assert.equal(lost?.level, "warn");
    assert.equal(lines.filter((line) => line.startsWith("x")).length + Number(lost?.fields.count), 30);
  });

  it("says once that its lines are not read any more, and never throws", () => {
    let closed = 0;
    const write = (): number => {
      throw Object.assign(new Error("broken pipe"), { code: "EPIPE" });
    };
    const sink = createStderrSink({
      write,
      onClosed: () => {
        closed += 1;
      },
    });
    sink.writeLine("a");
    sink.writeLine("b");
    sink.flush();
    assert.equal(closed, 1);
  });
});
