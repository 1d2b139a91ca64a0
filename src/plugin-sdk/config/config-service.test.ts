/** What SPIRE's configuration calls ask of a plugin's handlers. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Config } from "../../gen/spire/service/common/config/v1/config_pb.ts";
import { GrpcStatusError, StatusError } from "../../go-plugin/grpc/status-error.ts";
import type { CoreConfiguration } from "../plugin-definition.ts";
import { type BackgroundPlugin, serveInBackground } from "../serve-in-background.ts";
import { trustDomainProblem } from "./trust-domain.ts";

interface Seen {
  readonly call: "configure" | "validate";
  readonly hcl: string;
  readonly core: CoreConfiguration;
}

async function withPlugin(act: (plugin: BackgroundPlugin, seen: Seen[]) => Promise<void>): Promise<void> {
  const seen: Seen[] = [];
  const plugin = await serveInBackground({
    services: [],
    config: {
      configure(hcl, core) {
        seen.push({ call: "configure", hcl, core });
        if (hcl === "wrong") throw new StatusError("INVALID_ARGUMENT", "the setting is wrong");
      },
      validate(hcl, core) {
        seen.push({ call: "validate", hcl, core });
        return { valid: hcl !== "wrong", notes: hcl === "wrong" ? ["first problem", "second problem"] : [] };
      },
    },
  });
  try {
    await act(plugin, seen);
  } finally {
    await plugin.stop();
  }
}

const refused = (details: string | RegExp) => (error: unknown) =>
  error instanceof GrpcStatusError &&
  error.code === "INVALID_ARGUMENT" &&
  (typeof details === "string" ? error.details === details : details.test(error.details));

describe("Configure", () => {
  it("hands text and trust domain to the plugin, and its refusal to SPIRE", () =>
    withPlugin(async (plugin, seen) => {
      await plugin.configure('region = "eu-west-1"', "prod.example.org");
      assert.deepEqual(seen, [
        { call: "configure", hcl: 'region = "eu-west-1"', core: { trustDomain: "prod.example.org" } },
      ]);
      await assert.rejects(plugin.configure("wrong"), refused("the setting is wrong"));
    }));

  it("refuses a missing or impossible core configuration before the plugin sees it", () =>
    withPlugin(async (plugin, seen) => {
      const config = plugin.client(Config);
      await assert.rejects(
        config.configure({ hclConfiguration: "x" }),
        refused("server core configuration is required"),
      );
      await assert.rejects(
        config.configure({ coreConfiguration: {}, hclConfiguration: "x" }),
        refused("server core configuration must contain trust_domain"),
      );
      await assert.rejects(
        plugin.configure("x", "Example.org"),
        refused(/^server core configuration trust_domain is malformed: /),
      );
      assert.deepEqual(seen, []);
    }));
});

describe("Validate", () => {
  it("answers the plugin's verdict and notes", () =>
    withPlugin(async (plugin) => {
      const good = await plugin.validate("fine");
      assert.deepEqual([good.valid, good.notes], [true, []]);
      const bad = await plugin.validate("wrong");
      assert.deepEqual([bad.valid, bad.notes], [false, ["first problem", "second problem"]]);
    }));

  it("notes what is wrong with the core configuration beside the plugin's own notes", () =>
    withPlugin(async (plugin, seen) => {
      const config = plugin.client(Config);
      const nothing = await config.validate({ hclConfiguration: "wrong" });
      assert.equal(nothing.valid, false);
      assert.deepEqual(nothing.notes, ["server core configuration is required", "first problem", "second problem"]);
      const odd = await plugin.validate("fine", "no spaces");
      assert.equal(odd.valid, false);
      assert.match(odd.notes[0] ?? "", /trust_domain is malformed/);
      assert.deepEqual(
        seen.map(({ core }) => core.trustDomain),
        ["", ""],
      );
    }));
});

describe("a plugin without configuration", () => {
  it("does not serve Config", async () => {
    const plugin = await serveInBackground({ services: [] });
    assert.deepEqual(plugin.serviceNames, []);
    await assert.rejects(
      plugin.configure(""),
      (error) => error instanceof GrpcStatusError && error.code === "UNIMPLEMENTED",
    );
    await plugin.stop();
  });
});

describe("trustDomainProblem", () => {
  for (const name of ["example.org", "a", "a_b-c.9", "x".repeat(255)]) {
    it(`allows ${name.slice(0, 20)}`, () => assert.equal(trustDomainProblem(name), undefined));
  }
  for (const name of ["", "Example.org", "spiffe://example.org", "a b", "exämple", "a/b", "a\n", "x".repeat(256)]) {
    it(`refuses ${JSON.stringify(name.slice(0, 30))}`, () => assert.notEqual(trustDomainProblem(name), undefined));
  }
});
