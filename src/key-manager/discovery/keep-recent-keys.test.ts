/** Reconfigurations while KMS still shows aliases as they were before a rotation. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  accountWithJournal,
  aliasOf,
  arnOf,
  generate,
  lines,
  minuteMs,
  operatorKey,
  startServer,
  stateOf,
  tagMode,
} from "../../../test/simulation/scenes.ts";
import type { Settings } from "../../../test/simulation/simulated-server.ts";
import type { AliasListEntry, KmsClient, Page } from "../ports.ts";

/** A KMS that goes on listing aliases, and telling where they stand, as they were at one moment. */
class LaggingKms {
  #kms: KmsClient | undefined;
  #listed: readonly AliasListEntry[] | undefined;

  readonly seam = (kms: KmsClient): KmsClient => {
    this.#kms = kms;
    const listAliases = (keyId?: string): AsyncIterable<Page<AliasListEntry>> =>
      this.#listed === undefined ? kms.listAliases(keyId) : this.#page(this.#listed);
    const describeKey: KmsClient["describeKey"] = (keyId, options) =>
      kms.describeKey(this.#targetOf(keyId) ?? keyId, options);
    return new Proxy(kms, {
      get: (target, name) =>
        name === "listAliases"
          ? listAliases
          : name === "describeKey"
            ? describeKey
            : Reflect.get(target, name)?.bind(target),
    });
  };

  async freeze(): Promise<void> {
    const listed: AliasListEntry[] = [];
    for await (const { items } of this.#kms?.listAliases() ?? []) listed.push(...items);
    this.#listed = listed;
  }

  thaw(): void {
    this.#listed = undefined;
  }

  #targetOf = (aliasName: string) => this.#listed?.find((alias) => alias.aliasName === aliasName)?.targetKeyId;

  async *#page(items: readonly AliasListEntry[]): AsyncIterable<Page<AliasListEntry>> {
    yield { items, serverTime: undefined };
  }
}

async function scene(settings: Settings = {}) {
  const account = accountWithJournal();
  const lag = new LaggingKms();
  const server = await startServer(account, "a", settings, { seams: { kms: lag.seam } });
  await generate(server);
  await account.time.run(minuteMs);
  await lag.freeze();
  return { account, lag, server };
}

for (const [mode, settings] of [
  ["by alias", {}],
  ["by alias, strictly", { strict_key_discovery: true }],
  ["by tags", tagMode],
] as const) {
  describe(`reconfigured while KMS shows aliases as they were, keys found ${mode}`, () => {
    it("keeps the key of a rotation, before and after the old one is scheduled for deletion", async () => {
      const { account, server } = await scene(settings);
      const fresh = await generate(server);
      await account.time.until(server.configure());
      assert.equal(arnOf(server), fresh);
      await account.time.run(minuteMs);
      await account.time.until(server.configure());
      assert.equal(arnOf(server), fresh);
      assert.equal(lines(server, /./, "error").length, 0);
      assert.equal(await stateOf(account, fresh), "Enabled");
    });

    it("keeps a key whose alias is not listed at all, but there", async () => {
      const { account, server } = await scene(settings);
      const fresh = await generate(server, "JWT-Signer-A");
      await account.time.until(server.configure());
      assert.equal(arnOf(server, "JWT-Signer-A"), fresh);
    });
  });
}

describe("reconfigured after a rotation", () => {
  it("takes a replica's later key all the same", async () => {
    const { account, lag, server } = await scene();
    lag.thaw();
    await generate(server);
    await account.time.run(minuteMs);
    const replica = await startServer(account, "a");
    const theirs = await generate(replica);
    await account.time.until(server.configure());
    assert.equal(arnOf(server), theirs);
  });

  it("does not keep a key that was disabled meanwhile", async () => {
    const { account, server } = await scene();
    const fresh = await generate(server);
    await account.call("DisableKey", { KeyId: fresh });
    await account.time.run(minuteMs);
    await account.time.until(server.configure());
    assert.ok(!server.entries.has("x509-CA-A"));
  });

  it("believes an alias that was moved to another key, or deleted", async () => {
    const { account, lag, server } = await scene();
    lag.thaw();
    await generate(server);
    const alias = aliasOf("a");
    const other = await operatorKey(account, "", undefined, { KeySpec: "ECC_SECG_P256K1" });
    await account.call("UpdateAlias", { AliasName: alias, TargetKeyId: other });
    await account.time.until(server.configure());
    assert.deepEqual([...server.entries.keys()], [], "SPIRE does not know its curve");
    await generate(server, "x509-CA-B");
    await account.call("DeleteAlias", { AliasName: aliasOf("a", "x509-CA-B") });
    await account.time.until(server.configure());
    assert.deepEqual([...server.entries.keys()], []);
  });

  it("believes KMS after some minutes", async () => {
    const { account, server } = await scene();
    await generate(server);
    await account.time.run(6 * minuteMs);
    await account.time.until(server.configure());
    assert.ok(!server.entries.has("x509-CA-A"), "the key that is shown is pending deletion");
  });
});

describe("another process of the server", () => {
  it("asks once more where an alias stands when the key that was listed is pending deletion", async () => {
    const account = accountWithJournal();
    const server = await startServer(account, "a");
    await generate(server);
    const lag = new LaggingKms();
    const seams = { kms: (kms: KmsClient) => lag.seam(kms) };
    await startServer(account, "b", {}, { seams });
    await lag.freeze();
    const fresh = await generate(server);
    await account.time.run(minuteMs);
    // Its listing lags, its look at the alias does not.
    const listOnly = (kms: KmsClient): KmsClient =>
      new Proxy(lag.seam(kms), {
        get: (target, name) =>
          name === "describeKey" ? kms.describeKey.bind(kms) : Reflect.get(target, name)?.bind(target),
      });
    const next = await startServer(account, "a", {}, { seams: { kms: listOnly } });
    assert.equal(arnOf(next), fresh);
    assert.equal(lines(next, /./, "error").length, 0);
  });
});
