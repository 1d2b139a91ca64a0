/** The five tags as SPIRE writes them, and what is read of tags that SPIRE did not write. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Tag } from "../ports.ts";
import { keyTagProblems } from "./key-tags.ts";
import { activeTag, lastUpdateTag, readSpireTags, spireTags } from "./spire-tags.ts";

const identity = { trustDomain: "example.org", serverId: "a/b" };
const now = new Date("2026-03-01T12:00:00.900Z");
const tagged = (tags: readonly Tag[]) => ({ keyArn: "arn", tags: new Map(tags.map(({ key, value }) => [key, value])) });

describe("SPIRE's tags", () => {
  it("are written with the names and forms that SPIRE's own plugin has", () => {
    const tags = spireTags(identity, "x509-CA-A", now).map(({ key, value }) => `${key}=${value}`);
    assert.deepEqual(tags.sort(), [
      "spire-active=true",
      "spire-key-id=x509-CA-A",
      "spire-last-update=1772366400",
      "spire-server-id=a/b",
      "spire-server-td=example.org",
    ]);
  });

  it("are read back as they were written, in whole seconds", () => {
    assert.deepEqual(readSpireTags(tagged(spireTags(identity, "x509-CA-A", now))), {
      ...identity,
      keyId: "x509-CA-A",
      active: true,
      lastUpdate: new Date("2026-03-01T12:00:00Z"),
    });
    assert.equal(readSpireTags(tagged([...spireTags(identity, "k", now), activeTag(false)]))?.active, false);
  });

  it("hold every key id: as it stands where AWS takes it, else escaped", () => {
    const tagValueOf = (keyId: string) =>
      spireTags(identity, keyId, now).find(({ key }) => key === "spire-key-id")?.value;
    for (const [keyId, value] of [
      ["x509-CA-A", "x509-CA-A"],
      ["bundle-acme-a=b", "bundle-acme-a=b"],
      ["50%", "=50=25"],
      ["a*b", "=a=2ab"],
      ["=a=2ab", "==3da=3d2ab"],
      ["é🔑%", "=é=f0=9f=94=91=25"],
    ] as const) {
      assert.equal(tagValueOf(keyId), value);
      assert.deepEqual(keyTagProblems([{ key: "id", value }]), []);
      assert.equal(readSpireTags(tagged(spireTags(identity, keyId, now)))?.keyId, keyId);
    }
    for (const foreign of ["=", "=a", "=%41", "=a=zz", "==ff"]) {
      const tags = [...spireTags(identity, "k", now), { key: "spire-key-id", value: foreign }];
      assert.equal(readSpireTags(tagged(tags))?.keyId, foreign, "not ours: as it stands");
    }
  });

  it("without one of those that say whose the key is are none", () => {
    for (const missing of ["spire-server-td", "spire-server-id", "spire-key-id"]) {
      const tags = spireTags(identity, "k", now).filter(({ key }) => key !== missing);
      assert.equal(readSpireTags(tagged(tags)), undefined, missing);
    }
    assert.equal(readSpireTags(tagged(spireTags(identity, "", now))), undefined);
  });

  it("with a date that is no number have no date", () => {
    for (const value of ["", "soon", "-1", "1e9", "1772366400.5", "17723664001772366400"]) {
      const tags = [...spireTags(identity, "k", now), { ...lastUpdateTag(now), value }];
      assert.equal(readSpireTags(tagged(tags))?.lastUpdate, undefined, value);
    }
  });

  it("are active only by the word true", () => {
    for (const value of ["True", "1", "", "yes"]) {
      const tags = [...spireTags(identity, "k", now), { ...activeTag(true), value }];
      assert.equal(readSpireTags(tagged(tags))?.active, false, value);
    }
  });
});
