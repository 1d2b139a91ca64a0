/** Which keys a scan would schedule for deletion, which it spares and why, as pure plans. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as fc from "fast-check";
import { awsKmsNames } from "../../../plugin/aws-kms/names.ts";
import type { AliasListEntry, KeyMetadata } from "../../ports.ts";
import {
  candidateAliases,
  type PruneRules,
  planStaleAliases,
  planStaleKeys,
  planTaggedKeys,
  type TaggedKeyFacts,
  type TagPruneRules,
} from "./prune-plan.ts";

const dayMs = 86_400_000;
const now = new Date("2026-03-01T00:00:00Z");
const daysAgo = (days: number): Date => new Date(now.getTime() - days * dayMs);

const key = (keyId: string, more: Partial<KeyMetadata> = {}): KeyMetadata => ({
  keyId,
  arn: `arn:key/${keyId}`,
  description: "SPIRE_SERVER/example.org",
  keySpec: "ECC_NIST_P256",
  keyUsage: "SIGN_VERIFY",
  origin: "AWS_KMS",
  keyState: "Enabled",
  creationDate: daysAgo(100),
  deletionDate: undefined,
  ...more,
});

const alias = (name: string, targetKeyId: string | undefined, days: number | undefined): AliasListEntry => ({
  aliasName: `alias/${name}`,
  aliasArn: undefined,
  targetKeyId,
  creationDate: undefined,
  lastUpdatedDate: days === undefined ? undefined : daysAgo(days),
});

const rules: PruneRules = {
  names: awsKmsNames("example.org", "a"),
  now,
  thresholdMs: 14 * dayMs,
  maxDeletions: 100,
  isInUse: () => false,
};

const ids = ({ candidates }: { candidates: readonly { keyId: string }[] }) => candidates.map(({ keyId }) => keyId);
const other = "SPIRE_SERVER/example_org/ab/x509-CA-A";

describe("stale aliases", () => {
  const plan = (aliases: readonly AliasListEntry[], keys: readonly KeyMetadata[], more: Partial<PruneRules> = {}) =>
    planStaleAliases({ aliases, keys: new Map(keys.map((known) => [known.keyId, known])) }, { ...rules, ...more });

  it("go with their keys from the threshold on", () => {
    assert.deepEqual(ids(plan([alias(other, "1", 13.99)], [key("1")])), []);
    const [candidate] = plan([alias(other, "1", 14)], [key("1")]).candidates;
    assert.deepEqual(candidate, {
      rule: "stale alias",
      keyId: "1",
      keyArn: "arn:key/1",
      aliasName: `alias/${other}`,
      ageMs: 14 * dayMs,
    });
  });

  it("are those of the trust domain, compared at whole segments, and not this server's", () => {
    const names = [
      other,
      "SPIRE_SERVER/example_org/a/x509-CA-A",
      "SPIRE_SERVER/example_org/a/b/x509-CA-A",
      "SPIRE_SERVER/example_organic/ab/x509-CA-A",
      "SPIRE_SERVER/example_or/ab/x509-CA-A",
      "SPIRE_SERVER/example_org/x509-CA-A",
      "SPIRE_SERVER/example_org/ab/",
      "SPIRE_SERVER-example_org/ab/x509-CA-A",
    ];
    const found = candidateAliases(
      names.map((name) => alias(name, "1", 20)),
      rules.names,
    );
    assert.deepEqual(
      found.map(({ aliasName }) => aliasName),
      [`alias/${other}`, "alias/SPIRE_SERVER/example_org/a/b/x509-CA-A"],
    );
  });

  const spared: readonly (readonly [string, Partial<KeyMetadata>, Partial<PruneRules>])[] = [
    ["a foreign description", { description: "billing" }, {}],
    ["a look-alike description", { description: "SPIRE_SERVER/example.organic" }, {}],
    ["another usage", { keyUsage: "ENCRYPT_DECRYPT" }, {}],
    ["a disabled key", { keyState: "Disabled" }, {}],
    ["a pending key", { keyState: "PendingDeletion" }, {}],
    ["a key in use", {}, { isInUse: () => true }],
    ["a key on its way", {}, { isWaiting: () => true }],
  ];
  for (const [title, more, moreRules] of spared) {
    it(`spare ${title}, and say why`, () => {
      const { candidates, spared: left } = plan([alias(other, "1", 20)], [key("1", more)], moreRules);
      assert.deepEqual(candidates, []);
      assert.equal(left.length, 1);
      assert.ok((left[0]?.reason ?? "").length > 0);
    });
  }

  it("spare a key that another alias points to, one that could not be described, and what has no date or target", () => {
    assert.deepEqual(ids(plan([alias(other, "1", 20), alias("prod", "1", 500)], [key("1")])), []);
    assert.deepEqual(ids(plan([alias(other, "1", 20)], [])), []);
    assert.deepEqual(ids(plan([alias(other, "1", undefined)], [key("1")])), []);
    assert.deepEqual(ids(plan([alias(other, undefined, 20)], [key("1")])), []);
  });

  it("with descriptions that two trust domains write alike are spared: nothing tells which one's they are", () => {
    const shared = { description: "SPIRE_SERVER_KEY/example_org/x509-CA-A" };
    const aliases = [alias(other, "1", 20), alias("SPIRE_SERVER/example_org/x/y", "2", 1)];
    const twin = key("2", { description: "SPIRE_SERVER/example_org" });
    assert.deepEqual(ids(plan(aliases, [key("1", shared), key("2")])), []);
    assert.deepEqual(ids(plan(aliases, [key("1", shared), twin], { isOwnByTags: () => true })), ["1"], "by its tags");
    const asked = { prunesAmbiguous: true };
    assert.deepEqual(ids(plan(aliases, [key("1", shared), key("2")], asked)), ["1"], "as the operator says");
    assert.deepEqual(ids(plan(aliases, [key("1", shared), twin], asked)), [], "the operator was wrong");
    const names = awsKmsNames("example", "a");
    const lone = key("1", { description: "SPIRE_SERVER_KEY/example/x509-CA-A" });
    assert.deepEqual(ids(plan([alias("SPIRE_SERVER/example/ab/x", "1", 20)], [lone], { names })), ["1"], "no twin");
  });
});

describe("stale keys", () => {
  const plan = (
    keys: readonly KeyMetadata[],
    aliases: Readonly<Record<string, readonly string[]>>,
    hasTwin = false,
    more: Partial<PruneRules> = {},
  ) =>
    planStaleKeys(
      { keys, aliases: new Map(Object.entries(aliases)), hasTwin },
      { ...rules, thresholdMs: 2 * dayMs, ...more },
    );

  it("go without any alias, from the threshold on", () => {
    const keys = [
      key("old", { creationDate: daysAgo(2) }),
      key("young", { creationDate: daysAgo(1.99) }),
      key("aliased"),
      key("unasked"),
      key("dateless", { creationDate: undefined }),
    ];
    const aliases = { old: [], young: [], aliased: ["alias/x"], dateless: [] };
    assert.deepEqual(ids(plan(keys, aliases)), ["old"]);
  });

  it("need this trust domain's description", () => {
    const descriptions = [
      "SPIRE_SERVER/example.org",
      "SPIRE_SERVER_KEY/example_org/JWT-Signer-A",
      "SPIRE_SERVER/example_org",
      "SPIRE_SERVER/example.org/x",
      "SPIRE_SERVER/example.organic",
      "SPIRE_SERVER_KEY/example_organic/x",
      "SPIRE_SERVER_KEY/example_org/",
      "xSPIRE_SERVER/example.org",
      "",
    ];
    const keys = descriptions.map((description, index) => key(String(index), { description }));
    const aliases = Object.fromEntries(keys.map(({ keyId }) => [keyId, []]));
    assert.deepEqual(ids(plan(keys, aliases)), ["0"], "what two trust domains write alike proves nothing");
    const asked = { prunesAmbiguous: true };
    assert.deepEqual(ids(plan(keys, aliases, false, asked)), ["0", "1"]);
    assert.deepEqual(ids(plan(keys, aliases, true, asked)), ["0"], "a twin was seen");
  });

  it("go the oldest first up to the cap, those that failed before last, and the rest is counted", () => {
    const days = fc.array(fc.integer({ min: 2, max: 90 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(days, fc.integer({ min: 1, max: 20 }), fc.func(fc.boolean()), (ages, maxDeletions, failed) => {
        const keys = ages.map((age, index) => key(String(index), { creationDate: daysAgo(age) }));
        const aliases = Object.fromEntries(keys.map(({ keyId }) => [keyId, []]));
        const hasFailed = (keyArn: string) => failed(keyArn);
        const { candidates, deferred } = plan(keys, aliases, false, { maxDeletions, hasFailed });
        assert.equal(candidates.length, Math.min(maxDeletions, ages.length));
        assert.equal(candidates.length + deferred, ages.length);
        const ranks = candidates.map(({ keyArn, ageMs }) => [hasFailed(keyArn) ? 1 : 0, -ageMs] as const);
        assert.deepEqual(
          ranks,
          ranks.toSorted((a, b) => a[0] - b[0] || a[1] - b[1]),
        );
      }),
      { seed: 1, numRuns: 50 },
    );
  });
});

describe("tagged keys", () => {
  const tagRules: TagPruneRules = {
    ...rules,
    ownThresholdMs: 2 * dayMs,
    identity: { trustDomain: "example.org", serverId: "a" },
  };
  const fact = (
    serverId: string,
    lastUpdateDays: number | undefined,
    more: {
      active?: boolean;
      aliases?: readonly AliasListEntry[];
      trustDomain?: string;
      key?: Partial<KeyMetadata>;
    } = {},
  ): TaggedKeyFacts => ({
    key: key("1", more.key),
    tags: {
      trustDomain: more.trustDomain ?? "example.org",
      serverId,
      keyId: "x509-CA-A",
      active: more.active ?? true,
      lastUpdate: lastUpdateDays === undefined ? undefined : daysAgo(lastUpdateDays),
    },
    aliases: more.aliases ?? [],
  });
  const ruleOf = (facts: TaggedKeyFacts, more: Partial<TagPruneRules> = {}) =>
    planTaggedKeys([facts], { ...tagRules, ...more }).candidates[0]?.rule;

  it("of other servers go after two weeks without a sign of life, own ones after 48 hours out of use", () => {
    assert.equal(ruleOf(fact("b", 13.99)), undefined);
    assert.equal(ruleOf(fact("b", 14)), "stale tags");
    assert.equal(ruleOf(fact("a", 1.99)), undefined);
    assert.equal(ruleOf(fact("a", 2)), "unused");
    assert.equal(ruleOf(fact("a", 2), { isInUse: () => true }), undefined);
    assert.equal(ruleOf(fact("b", undefined)), undefined, "a date that cannot be read tells nothing");
    assert.equal(ruleOf(fact("b", undefined, { active: false })), undefined);
  });

  it("that are inactive and still enabled go at once: a deletion was cut off", () => {
    assert.equal(ruleOf(fact("b", 0, { active: false })), "inactive");
    assert.equal(ruleOf(fact("b", 0, { active: false, key: { keyState: "PendingDeletion" } })), undefined);
  });

  it("stay for a fresh alias, for a foreign one, and are scheduled with a stale one", () => {
    const stale = alias(other, "1", 14);
    assert.equal(ruleOf(fact("b", 20, { aliases: [stale] })), "stale tags");
    assert.equal(ruleOf(fact("b", 20, { aliases: [alias(other, "1", 13)] })), undefined);
    assert.equal(ruleOf(fact("b", 20, { aliases: [stale, alias("prod", "1", 400)] })), undefined);
    assert.equal(ruleOf(fact("b", 20, { aliases: [alias(other, "1", undefined)] })), undefined);
  });

  it("are no older than they exist, whatever a slow clock wrote", () => {
    const young = { creationDate: daysAgo(0.001) };
    assert.equal(ruleOf(fact("b", 400, { key: young })), undefined);
    assert.equal(ruleOf(fact("a", 400, { key: young })), undefined);
    assert.equal(ruleOf(fact("b", undefined, { key: young })), undefined);
    assert.equal(ruleOf(fact("b", -400)), undefined, "and a fast one's do not make them older");
  });

  it("need this trust domain's tag and description", () => {
    assert.equal(ruleOf(fact("b", 20, { trustDomain: "example_org" })), undefined);
    assert.equal(ruleOf(fact("b", 20, { key: { description: "SPIRE_SERVER/example.organic" } })), undefined);
    assert.equal(ruleOf(fact("b", 20, { key: { description: "SPIRE_SERVER_KEY/example_org/x" } })), "stale tags");
  });
});
