/** Heads of answers: what is read here, Node's parser reads alike; what is not plain is left to it. */
import assert from "node:assert/strict";
import { request } from "node:http";
import { Duplex } from "node:stream";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readHead } from "./response-head.ts";

interface Read {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** What Node's client makes of these bytes; undefined for an error. */
function byNode(bytes: string): Promise<Read | undefined> {
  const socket = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  return new Promise((resolve) => {
    const asked = request({ createConnection: () => socket, method: "POST" }, (response) => {
      let body = "";
      response.setEncoding("latin1").on("data", (chunk) => {
        body += chunk;
      });
      response.once("error", () => resolve(undefined));
      // Always after the end or the failure.
      response.once("close", () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    asked.once("error", () => resolve(undefined));
    asked.end();
    setImmediate(() => {
      socket.push(Buffer.from(bytes, "latin1"));
      setImmediate(() => socket.push(null));
    });
  });
}

const isPlain = (head: string): boolean => readHead(head) !== undefined;

describe("heads of answers", () => {
  it("as AWS sends them", () => {
    const text = "HTTP/1.1 200 OK\r\nx-amzn-RequestId:  4 \t\r\nContent-Type: a; b=c\r\nContent-Length: 12";
    const head = readHead(text);
    assert.ok(head !== undefined);
    const { statusCode, reason, headers, length, keptMs } = head;
    assert.deepEqual([statusCode, reason, length, keptMs, head.get("date")], [200, "OK", 12, undefined, undefined]);
    assert.deepEqual(headers, { "x-amzn-requestid": "4", "content-type": "a; b=c", "content-length": "12" });
    assert.equal(readHead(`${text}\r\nDATE: now`)?.get("date"), "now");
  });

  it("say for how long the connection is kept", () => {
    const kept = (more: string) => readHead(`HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n${more}`)?.keptMs;
    assert.equal(kept("Connection: close"), 0);
    assert.equal(kept("Connection: something"), 0);
    assert.equal(kept("Connection: Keep-Alive"), undefined);
    assert.equal(kept("Connection: keep-alive\r\nKeep-Alive: timeout=5"), 5_000);
    assert.equal(kept("Keep-Alive: timeout=72, max=10"), 72_000);
    assert.equal(kept("Keep-Alive: soon"), undefined);
  });

  for (const [title, head] of Object.entries({
    "an old version": "HTTP/1.0 200 OK\r\nContent-Length: 1",
    "no reason": "HTTP/1.1 200\r\nContent-Length: 1",
    "a preliminary answer": "HTTP/1.1 100 Continue\r\nContent-Length: 1",
    "no body": "HTTP/1.1 204 No Content\r\nContent-Length: 1",
    "no length": "HTTP/1.1 200 OK\r\nDate: x",
    "two lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1",
    "a list of lengths": "HTTP/1.1 200 OK\r\nContent-Length: 1, 1",
    "a signed length": "HTTP/1.1 200 OK\r\nContent-Length: +1",
    "a hexadecimal length": "HTTP/1.1 200 OK\r\nContent-Length: 0x1",
    "a length and a coding": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked",
    "a folded line": "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n b: c",
    "a space before the colon": "HTTP/1.1 200 OK\r\nContent-Length : 1",
    "a bare line feed": "HTTP/1.1 200 OK\r\nA: b\nContent-Length: 1",
    "a bare carriage return": "HTTP/1.1 200 OK\r\nA: b\rContent-Length: 1",
    "a zero byte": "HTTP/1.1 200 OK\r\nA: \0\r\nContent-Length: 1",
    "a name of nothing": "HTTP/1.1 200 OK\r\n: b\r\nContent-Length: 1",
    "a header twice": "HTTP/1.1 200 OK\r\nA: b\r\na: c\r\nContent-Length: 1",
    "a prototype": "HTTP/1.1 200 OK\r\n__proto__: b\r\nContent-Length: 1",
    "an empty line before it": "\r\nHTTP/1.1 200 OK\r\nContent-Length: 1",
  })) {
    it(`are not plain with ${title}`, () => assert.equal(isPlain(head), false));
  }

  it("that are plain are read as Node reads them, whatever they are made of", async () => {
    const name = fc.constantFrom("Date", "x-a", "X-B", "Content-Length", "Connection", "Transfer-Encoding", "a b", "é");
    const value = fc.oneof(
      fc.constantFrom("3", "0", "4", "close", "keep-alive", "chunked", " 3", "3 ", "\t", "a\u00e9", "a\rb", "a\nb"),
      fc.string({ maxLength: 6 }),
    );
    const line = fc
      .tuple(name, fc.constantFrom(":", ": ", ":\t ", ": ", " : ", ""), value)
      .map((parts) => parts.join(""));
    const first = fc.constantFrom(
      "HTTP/1.1 200 OK",
      "HTTP/1.1 400 ",
      "HTTP/1.1 500",
      "HTTP/1.0 200 OK",
      "HTTP/1.1 99 X",
    );
    const length = fc.constantFrom("Content-Length: 3", "Content-Length: 3", "content-length:\t3", "x: y");
    const seen = { plain: 0, other: 0 };
    await fc.assert(
      fc.asyncProperty(first, length, fc.array(line, { maxLength: 2 }), async (status, told, lines) => {
        const text = [status, told, ...lines].join("\r\n");
        const head = readHead(Buffer.from(text, "latin1").toString("latin1"));
        if (head === undefined) {
          seen.other++;
          return;
        }
        seen.plain++;
        const read = await byNode(`${text}\r\n\r\n${"abc".slice(0, head.length)}`);
        assert.deepEqual([head.statusCode, { ...head.headers }], [read?.status, { ...read?.headers }], text);
        assert.equal(read?.body.length, head.length);
      }),
      { seed: 20_261_126, numRuns: 300 },
    );
    assert.ok(seen.plain > 30 && seen.other > 30, JSON.stringify(seen));
  });
});
