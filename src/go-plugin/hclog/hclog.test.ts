/** Log lines against what go-plugin's reader takes, for any message and any field. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createHclog } from "./hclog.ts";
import { maxLineBytes, parseHclogLine } from "./hclog-line.ts";
import type { LogFields, Logger } from "./logger.ts";

const now = (): Date => new Date("2026-11-22T10:11:12.123Z");

function logged(act: (log: Logger) => void, options: { name?: string; level?: "warn" } = {}): string[] {
  const lines: string[] = [];
  act(createHclog({ write: (line) => lines.push(line), now, ...options }));
  return lines;
}

function fieldsOf(fields: LogFields): LogFields {
  const [line = ""] = logged((log) => log.info("m", fields));
  return parseHclogLine(line)?.fields ?? assert.fail(`not an hclog line: ${line}`);
}

describe("hclog lines", () => {
  it("have go-hclog's members, with six fractional digits and a zone", () => {
    assert.deepEqual(
      logged((log) => log.info("hello", { id: 7 }), { name: "aws_kms" }),
      ['{"@level":"info","@message":"hello","@module":"aws_kms","@timestamp":"2026-11-22T10:11:12.123000Z","id":7}'],
    );
  });

  it("carry every level by go-hclog's name", () => {
    const lines = logged((log) => {
      log.trace("");
      log.debug("");
      log.info("");
      log.warn("");
      log.error("");
    });
    assert.deepEqual(
      lines.map((line) => parseHclogLine(line)?.level),
      ["trace", "debug", "info", "warn", "error"],
    );
  });

  it("are left out below the level", () => {
    const lines = logged(
      (log) => {
        log.info("no");
        log.named("sub").debug("no");
        log.warn("yes");
        log.with({ a: 1 }).error("yes");
      },
      { level: "warn" },
    );
    assert.equal(lines.length, 2);
  });

  it("name nested modules with dots and keep bound fields", () => {
    const [line = ""] = logged((log) => log.named("a").with({ x: 1, y: 1 }).named("b").info("m", { y: 2 }), {
      name: "p",
    });
    const entry = parseHclogLine(line);
    assert.equal(entry?.module, "p.a.b");
    assert.deepEqual(entry?.fields, { x: 1, y: 2 });
  });

  it("never let a field take the place of a reserved member", () => {
    const [line = ""] = logged((log) =>
      log.info("real", { "@message": 5, "@level": 1, "@timestamp": {}, "@module": [] }),
    );
    const parsed = JSON.parse(line) as Record<string, unknown>;
    assert.equal(parsed["@message"], "real");
    assert.equal(parsed["@level"], "info");
    assert.equal(parsed["@timestamp"], "2026-11-22T10:11:12.123000Z");
    assert.equal(parsed.field_message, 5);
  });

  it("always have a text as message, whatever plain JavaScript passes", () => {
    for (const message of [undefined, null, 5, { a: 1 }, Symbol("s"), Object.create(null)]) {
      const [line = ""] = logged((log) => log.info(message as string));
      assert.equal(typeof (JSON.parse(line) as Record<string, unknown>)["@message"], "string");
    }
  });

  it("stay one line", () => {
    const [line = ""] = logged((log) => log.info("a\nb\r\u2028c\u2029", { "k\n": "v\n" }));
    assert.match(line, /^[^\n\r\u2028\u2029]*$/);
    assert.equal(parseHclogLine(line)?.message, "a\nb\r\u2028c\u2029");
  });
});

describe("hclog fields", () => {
  it("hold what JSON cannot", () => {
    const circular: Record<string, unknown> = { name: "loop" };
    circular.self = circular;
    assert.deepEqual(
      fieldsOf({
        big: 12345678901234567890n,
        bytes: Buffer.from("hi"),
        map: new Map([["k", 1]]),
        set: new Set([1]),
        date: new Date(0),
        badDate: new Date(Number.NaN),
        nan: Number.NaN,
        fn: () => 1,
        circular,
        missing: undefined,
      }),
      {
        big: "12345678901234567890",
        bytes: "aGk=",
        map: { k: 1 },
        set: [1],
        date: "1970-01-01T00:00:00.000Z",
        badDate: "[invalid date]",
        nan: "NaN",
        fn: "[function]",
        circular: { name: "loop", self: "[circular]" },
      },
    );
  });

  it("tell an error with its code and causes, without its stack", () => {
    const cause = Object.assign(new Error("refused"), { code: "ECONNREFUSED" });
    const { error } = fieldsOf({ error: new TypeError("no connection", { cause }) });
    assert.equal(error, "TypeError: no connection; caused by Error [ECONNREFUSED]: refused");
  });

  it("survive an error that is its own cause", () => {
    const error = new Error("again");
    error.cause = error;
    assert.equal(fieldsOf({ error }).error, "Error: again; caused by [circular]");
  });

  it("survive objects that throw", () => {
    const hostile = {
      get boom(): string {
        throw new Error("no");
      },
    };
    const proxy = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
      },
    );
    assert.deepEqual(fieldsOf({ hostile, proxy, fine: 1 }), {
      hostile: "[unreadable]",
      proxy: "[unreadable]",
      fine: 1,
    });
  });

  it("are dropped whole when they cannot be read at all", () => {
    const fields = new Proxy(
      {},
      {
        ownKeys: () => {
          throw new Error("no");
        },
        getOwnPropertyDescriptor: () => undefined,
      },
    );
    assert.doesNotThrow(() => logged((log) => log.info("m", { nested: fields })));
  });
});

describe("long hclog lines", () => {
  it("are cut below go-plugin's buffer, with a mark", () => {
    const [line = ""] = logged((log) => log.info("short", { long: "é".repeat(100_000), kept: "all of it" }));
    assert.ok(Buffer.byteLength(line) <= maxLineBytes);
    const entry = parseHclogLine(line);
    assert.equal(entry?.fields.kept, "all of it");
    assert.match(String(entry?.fields.long), /…\[cut, 200000 bytes\]$/);
  });

  it("fit whatever is logged", () => {
    const text = fc.string({ maxLength: 40 });
    const value = fc.oneof(
      text,
      fc.integer(),
      fc.anything({ withBigInt: true, withDate: true, withMap: true }),
      fc.nat(80_000).map((n) => "\u0001".repeat(n)),
    );
    fc.assert(
      fc.property(fc.nat(100_000), fc.dictionary(text, value, { maxKeys: 30 }), (length, fields) => {
        const [line = ""] = logged((log) => log.warn("m".repeat(length), fields));
        assert.ok(Buffer.byteLength(line) <= maxLineBytes, `${Buffer.byteLength(line)} bytes`);
        assert.equal(parseHclogLine(line)?.level, "warn");
      }),
      { numRuns: 60, seed: 11 },
    );
  });

  it("drop their fields when there are too many to cut", () => {
    const fields = Object.fromEntries(
      Array.from({ length: 90 }, (_, i) => [`${"k".repeat(2000)}${i}`, "v".repeat(2000)]),
    );
    const nested = Object.fromEntries(Array.from({ length: 90 }, (_, i) => [`f${i}`, fields]));
    const [line = ""] = logged((log) => log.info("m", nested));
    assert.ok(Buffer.byteLength(line) <= maxLineBytes);
    assert.equal(parseHclogLine(line)?.message, "m");
  });
});

describe("parseHclogLine", () => {
  const good = { "@level": "info", "@message": "m", "@timestamp": "2026-11-22T10:11:12.123456+01:00" };

  it("reads a zone, and a line without a module", () => {
    const entry = parseHclogLine(JSON.stringify(good));
    assert.equal(entry?.timestamp.toISOString(), "2026-11-22T09:11:12.123Z");
    assert.equal(entry?.module, "");
  });

  const others = [
    "",
    "plain text",
    "null",
    "[]",
    JSON.stringify({ ...good, "@level": "loud" }),
    JSON.stringify({ ...good, "@message": 5 }),
    JSON.stringify({ ...good, "@timestamp": "2026-11-22T10:11:12.123Z" }),
    JSON.stringify({ ...good, "@timestamp": "2026-11-22T10:11:12.123456" }),
  ];
  for (const line of others) {
    it(`is undefined for ${line === "" ? "an empty line" : line}`, () => assert.equal(parseHclogLine(line), undefined));
  }
});
