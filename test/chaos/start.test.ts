/** Of all calls of AWS only those that find keys may fail a start: with its keys at hand a server serves. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { LoneServerWorld } from "../simulation/lone-server.ts";
import { tagsOf } from "../simulation/operator.ts";
import { hourMs, secondMs } from "../simulation/scenes.ts";
import { codeOf, givenUp, type Settings, type SimulatedServer } from "../simulation/simulated-server.ts";
import type { Trouble } from "../simulation/troubles.ts";
import { seededRandom } from "../simulation/virtual-time.ts";
import { reportTable } from "./report.ts";

const kinds = ["denied", "throttled", "internal", "never arrives"] as const satisfies readonly Trouble[];

/** What SPIRE's call ends with. */
const codes: Readonly<Record<(typeof kinds)[number], string>> = {
  denied: "PERMISSION_DENIED",
  throttled: "RESOURCE_EXHAUSTED",
  internal: "UNAVAILABLE",
  "never arrives": "DEADLINE_EXCEEDED",
};

const tagMode = { enable_tag_based_key_discovery: true };

interface StartCase {
  readonly operation: string;
  readonly title: string;
  readonly settings?: Settings;
  /** Whether Configure succeeds. */
  readonly starts: boolean;
  /** What GenerateKey of a new id ends with while the trouble lasts: that trouble's code, or success. */
  readonly generates?: boolean;
}

const cases: readonly StartCase[] = [
  { operation: "ListAliases", title: "finding keys", starts: false },
  { operation: "DescribeKey", title: "finding keys", starts: false },
  { operation: "GetPublicKey", title: "finding keys", starts: false },
  { operation: "GetResources", title: "finding keys by tags", settings: tagMode, starts: false },
  { operation: "GetCallerIdentity", title: "the default key policy", starts: true, generates: false },
  { operation: "GetRole", title: "the path of the role", starts: true, generates: true },
  { operation: "TagResource", title: "migration to tag mode", settings: tagMode, starts: true, generates: true },
  {
    operation: "TagResource",
    title: "retag_existing_keys",
    settings: { retag_existing_keys: true, key_tags: { Team: "x" } },
    starts: true,
    generates: true,
  },
  { operation: "CreateKey", title: "making keys", starts: true, generates: false },
  { operation: "CreateAlias", title: "making keys", starts: true, generates: false },
  { operation: "UpdateAlias", title: "refreshing", starts: true, generates: true },
  { operation: "ScheduleKeyDeletion", title: "removing keys", starts: true, generates: true },
  { operation: "DeleteAlias", title: "pruning", starts: true, generates: true },
  { operation: "ListKeys", title: "pruning", starts: true, generates: true },
];

class Start {
  readonly #world = new LoneServerWorld();
  readonly #random = seededRandom(11);

  process(): SimulatedServer {
    return this.#world.server(this.#random);
  }

  set trouble(at: { readonly operation: string; readonly kind: Trouble } | undefined) {
    this.#world.account.fateOf = (_, operation) => (operation === at?.operation ? at.kind : undefined);
  }

  get time() {
    return this.#world.account.time;
  }

  tags(keyId: string): Promise<ReadonlyMap<string, string>> {
    return tagsOf(this.#world.account, keyId);
  }

  /** How a call ends that SPIRE gives 30 s. */
  async ending(call: (signal: AbortSignal) => Promise<unknown>): Promise<string> {
    return this.time.until(
      call(this.time.signalAfter(30 * secondMs, givenUp("DEADLINE_EXCEEDED"))).then(
        () => "OK",
        (error: unknown) => codeOf(error) ?? Promise.reject(error),
      ),
    );
  }
}

const digest = createHash("sha256").update("message").digest();
const sign = (process: SimulatedServer, keyId: string, signal: AbortSignal) =>
  process.sign(keyId, digest, "SHA256", signal);

/** Two of SPIRE's own ids, and one that no start asks for by its name. */
const atHand = ["x509-CA-A", "JWT-Signer-A", "bundle-acme-account"];

describe("every start-up call in every trouble, for two minutes", () => {
  const rows: string[][] = [];

  for (const { operation, title, settings = {}, starts, generates = false } of cases) {
    for (const kind of kinds) {
      const name = `${operation} (${title}) ${kind}`;
      it(`${name}: ${starts ? "the server starts" : "Configure fails"}`, async () => {
        const start = new Start();
        const before = start.process();
        await start.time.until(before.configure());
        for (const keyId of atHand) await start.time.until(before.generate(keyId, "ec-p256"));
        before.kill();

        start.trouble = { operation, kind };
        const server = start.process();
        const begun = start.time.now;
        // Tasks of upkeep come at once, so that their calls meet the trouble as well.
        const all = { ...settings, scan_start_delay: "0s" };
        const configured = await start.ending((signal) => server.configure(all, signal));
        const seconds = Math.round((start.time.now - begun) / 1_000);
        assert.equal(configured, starts ? "OK" : codes[kind]);
        let generated = "";
        if (starts) {
          assert.deepEqual([...server.entries.keys()].sort(), atHand.toSorted());
          for (const keyId of atHand) assert.equal(await start.ending((signal) => sign(server, keyId, signal)), "OK");
          generated = await start.ending((signal) => server.generate("x509-CA-B", "ec-p256", signal));
          assert.equal(generated, generates ? "OK" : codes[kind]);
        }
        rows.push([
          `${operation} (${title})`,
          kind,
          `${configured}${seconds > 1 ? ` after ${seconds} s` : ""}`,
          generated,
        ]);

        await start.time.run(120 * secondMs);
        start.trouble = undefined;
        if (!starts) await start.time.until(server.configure(all));
        await start.time.until(server.generate("JWT-Signer-B", "ec-p256"));
        await start.time.run(hourMs);
        server.kill();

        // What could not be done at the start has been done since, and the next one finds every key.
        const next = start.process();
        await start.time.until(next.configure(settings));
        for (const keyId of atHand) {
          const entry = next.entries.get(keyId);
          assert.equal(entry?.fingerprint, before.entries.get(keyId)?.fingerprint, keyId);
          const tags = await start.tags(entry?.keyArn ?? "");
          if (settings === tagMode) assert.ok(tags.has("spire-active"), keyId);
        }
      });
    }
  }

  it("is written down", () => {
    reportTable("starts", ["call", "trouble", "Configure", "GenerateKey meanwhile"], rows);
    assert.equal(rows.length, cases.length * kinds.length);
  });
});

describe("the server's own identity", () => {
  it("is asked for again by each GenerateKey, and a late answer serves the next", async () => {
    const start = new Start();
    start.trouble = { operation: "GetCallerIdentity", kind: "never arrives" };
    const server = start.process();
    await start.time.until(server.configure());
    const begun = start.time.now;
    const generate = (signal: AbortSignal) => server.generate("x509-CA-A", "ec-p256", signal);
    assert.equal(await start.ending(generate), "DEADLINE_EXCEEDED");
    assert.ok(start.time.now - begun <= 10_500, "ten seconds, so that SPIRE hears the reason");
    start.trouble = { operation: "GetCallerIdentity", kind: "denied" };
    await start.time.run(60 * secondMs);
    await assert.rejects(
      start.time.until(server.generate("x509-CA-A", "ec-p256")),
      /which the default key policy needs and a key_policy_file does not: GetCallerIdentity: .*allow sts:GetCallerIdentity/,
    );
    start.trouble = undefined;
    assert.equal(await start.ending(generate), "OK");
    start.trouble = { operation: "GetCallerIdentity", kind: "denied" };
    assert.equal(await start.ending(generate), "OK", "what is known stays known");
  });
});
