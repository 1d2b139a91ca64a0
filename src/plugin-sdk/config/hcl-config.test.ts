/** Configuration by a schema: what the schema sees, what the operator is told. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as v from "valibot";
import { GrpcStatusError } from "../../go-plugin/grpc/status-error.ts";
import { parseHcl } from "../../hcl/index.ts";
import { serveInBackground } from "../serve-in-background.ts";
import { hclConfig } from "./hcl-config.ts";
import { readSettings } from "./hcl-settings.ts";

const plain = (hcl: string, lists: readonly string[] = []) => {
  const { settings, problems } = readSettings(parseHcl(hcl), lists);
  return { settings: JSON.parse(JSON.stringify(settings)) as unknown, problems };
};

describe("settings as plain data", () => {
  it("has blocks as objects, labels as names, repeated blocks as lists", () => {
    assert.deepEqual(
      plain(`
        name = "x"
        ports = [1, 2.5]
        tls { verify = true }
        peer "a" { port = 1 }
        peer "b" { port = 2 }
        rule { allow = "x" }
        rule { allow = "y" }
        map = { key = "value" }
        text = <<EOF
two
lines
EOF
      `),
      {
        settings: {
          name: "x",
          ports: [1, 2.5],
          tls: { verify: true },
          peer: { a: { port: 1 }, b: { port: 2 } },
          rule: [{ allow: "x" }, { allow: "y" }],
          map: { key: "value" },
          text: "two\nlines\n",
        },
        problems: [],
      },
    );
  });

  it("has a list for blocks that are said to be one, however many there are", () => {
    assert.deepEqual(plain('rule { allow = "x" }', ["rule"]).settings, { rule: [{ allow: "x" }] });
    assert.deepEqual(plain('rule = [{ allow = "x" }, { allow = "y" }]', ["rule"]).settings, {
      rule: [{ allow: "x" }, { allow: "y" }],
    });
    assert.deepEqual(plain('{"rule": [{"allow": "x"}], "tls": {"a": 1}}', ["rule"]).settings, {
      rule: [{ allow: "x" }],
      tls: { a: 1 },
    });
  });

  it("loses no digit, refuses what is set twice, and takes any key", () => {
    assert.equal(readSettings(parseHcl("big = 12345678901234567890")).settings.big, 12_345_678_901_234_567_890n);
    assert.equal(readSettings(parseHcl("hex = 0x10")).settings.hex, 16);
    assert.deepEqual(plain("a = 1\nb = 2\na = 3").problems, ["a is set more than once (lines 1 and 3)"]);
    assert.deepEqual(Object.keys(readSettings(parseHcl('__proto__ { a = "b" }')).settings), ["__proto__"]);
  });
});

const schema = v.strictObject({
  region: v.pipe(v.string(), v.minLength(1)),
  port: v.optional(v.number(), 443),
  tls: v.optional(v.strictObject({ ca: v.string() })),
});

describe("hclConfig", () => {
  it("gives the plugin typed settings, and keeps the former ones when new ones are refused", async (t) => {
    const applied: number[] = [];
    const config = hclConfig({
      schema,
      apply({ settings }) {
        if (settings.region === "nowhere") throw new Error("cannot connect");
        applied.push(settings.port);
      },
    });
    assert.throws(() => config.current, /not configured/);
    const plugin = await serveInBackground({ services: [], config });
    t.after(() => plugin.stop());
    await plugin.configure('region = "here"', "prod.example.org");
    await assert.rejects(plugin.configure('region = "nowhere"'), /cannot connect/);
    await assert.rejects(plugin.configure("port = 1"), GrpcStatusError);
    const { settings, trustDomain } = config.current;
    const region: string = settings.region;
    assert.deepEqual([region, settings.port, trustDomain], ["here", 443, "prod.example.org"]);
    assert.deepEqual(applied, [443]);
  });

  it("tells all problems, each with setting and line, to Validate and Configure alike", async (t) => {
    const config = hclConfig({
      schema,
      check: ({ settings }) => (settings.port === 80 ? ["port: 80 is not for this"] : []),
    });
    const plugin = await serveInBackground({ services: [], config });
    t.after(() => plugin.stop());
    const wrong = "region = 5\nprot = 80\ntls {\n  ca = true\n}";
    const { valid, notes } = await plugin.validate(wrong);
    assert.equal(valid, false);
    assert.deepEqual(
      notes.map((note) => note.replace(/: .* \(/, " (")),
      ["region (line 1)", "tls.ca (line 3)", "prot (line 2)"],
    );
    await assert.rejects(
      plugin.configure(wrong),
      (error) =>
        error instanceof GrpcStatusError &&
        error.code === "INVALID_ARGUMENT" &&
        error.details === `plugin_data: ${notes.join("; ")}`,
    );
    assert.deepEqual((await plugin.validate('region = "a"\nport = 80')).notes, ["port: 80 is not for this"]);
    assert.equal((await plugin.validate("region = [1")).notes.length, 1);
    assert.deepEqual(await plugin.validate('region = "a"').then(({ notes: none }) => none), []);
  });
});
