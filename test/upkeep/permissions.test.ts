/**
 * Each permission of the seed's list taken away from a server that had it: the error, or the log line, names the
 * permission and what does not work; everything else goes on.
 */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { EngineOptions } from "../../src/kms-emulator/index.ts";
import {
  accountWithJournal,
  aliases,
  aliasOf,
  arnOf,
  dayMs,
  generate,
  hourMs,
  lines,
  minuteMs,
  operatorKey,
  startServer,
  stateOf,
  tagMode,
  tagsOf,
  trustDomain,
} from "../simulation/scenes.ts";
import type { SimulatedAccount } from "../simulation/simulated-account.ts";
import type { Settings, SimulatedServer } from "../simulation/simulated-server.ts";

const permissions = [
  "kms:CreateAlias",
  "kms:CreateKey",
  "kms:DescribeKey",
  "kms:GetPublicKey",
  "kms:ListKeys",
  "kms:ListAliases",
  "kms:ScheduleKeyDeletion",
  "kms:Sign",
  "kms:TagResource",
  "kms:UpdateAlias",
  "kms:DeleteAlias",
  "tag:GetResources",
] as const;

type Permission = (typeof permissions)[number];

const role = "arn:aws:sts::111122223333:assumed-role/spire-server/i-0123456789";
const otherRole = "arn:aws:iam::111122223333:role/another-server";
const allow = { Effect: "Allow", Action: "*", Resource: "*" };
const policy = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });

const full = "AKIAFULL000000000001";
/** Denied, not only not allowed: the key policy of the seed gives the role everything on its keys. */
const without = (permission: Permission): string =>
  `AKIAWITHOUT${String(permissions.indexOf(permission)).padStart(9, "0")}`;

const identities: NonNullable<EngineOptions["identities"]> = [
  { accessKeyId: full, arn: role, policies: [policy(allow)] },
  ...permissions.map((permission) => ({
    accessKeyId: without(permission),
    arn: role,
    policies: [policy(allow, { Effect: "Deny", Action: permission, Resource: "*" })],
  })),
];

class AuthorizedAccount {
  readonly account: SimulatedAccount = accountWithJournal({ authorize: true, identities, principals: [otherRole] });

  start(serverId = "a", settings: Settings = {}, accessKeyId = full): Promise<SimulatedServer> {
    return startServer(this.account, serverId, settings, { accessKeyId });
  }
}

/** A server with keys that loses one permission. */
async function losing(permission: Permission, settings: Settings = {}) {
  const authorized = new AuthorizedAccount();
  const { account } = authorized;
  account.callAs = full;
  const server = await authorized.start("a", settings);
  const keyArn = await generate(server);
  server.accessKeyId = without(permission);
  return { authorized, account, server, keyArn };
}

const sign = (server: SimulatedServer) => server.sign("x509-CA-A");

const denied = (attempt: RegExp, permission: Permission) => (error: unknown) => {
  assert.ok(error instanceof Error && "code" in error);
  assert.equal(error.code, "PERMISSION_DENIED");
  assert.match(error.message, attempt);
  assert.ok(error.message.includes(`allow ${permission} `), error.message);
  return true;
};

/** There is a line that tells, with the permission and what becomes of it. */
function told(server: SimulatedServer, message: RegExp, permission: Permission, consequence?: RegExp): void {
  const [line] = lines(server, message).filter(({ fields }) => String(fields.reason).includes(permission));
  assert.ok(line !== undefined, `no line ${message} about ${permission}: ${JSON.stringify(server.log)}`);
  assert.match(String(line.fields.reason), new RegExp(`allow ${permission} `));
  if (consequence !== undefined) assert.match(String(line.fields.consequence), consequence);
}

describe("a permission that is missing", () => {
  it("kms:CreateKey: keys cannot be made", async () => {
    const { server } = await losing("kms:CreateKey");
    await assert.rejects(generate(server), denied(/failed to create key/, "kms:CreateKey"));
    await sign(server);
  });

  it("kms:CreateAlias: keys of new ids cannot be made, and none is left behind", async () => {
    const { account, server } = await losing("kms:CreateAlias");
    await assert.rejects(generate(server, "JWT-Signer-A"), denied(/failed to create alias/, "kms:CreateAlias"));
    await account.time.run(minuteMs);
    assert.equal(lines(server, /^Key scheduled for deletion$/, "info").length, 1);
    await sign(server);
  });

  it("kms:UpdateAlias: no rotation, none left behind; the aliases go stale, which is told", async () => {
    const { account, server, keyArn } = await losing("kms:UpdateAlias");
    await assert.rejects(generate(server), denied(/failed to update alias/, "kms:UpdateAlias"));
    await account.time.run(12 * minuteMs);
    assert.equal(lines(server, /^Key scheduled for deletion$/, "info").length, 1);
    assert.equal(arnOf(server), keyArn);
    assert.equal(await stateOf(account, keyArn), "Enabled");
    told(server, /^Task failed/, "kms:UpdateAlias", /other servers .* take this server's keys for stale, and delete/);
    await sign(server);
  });

  it("kms:DescribeKey: Configure fails where there are keys; a running server cannot refresh", async () => {
    const { authorized, account, server } = await losing("kms:DescribeKey");
    const start = authorized.start("a", {}, without("kms:DescribeKey"));
    await assert.rejects(start, denied(/failed to fetch aliases/, "kms:DescribeKey"));
    await account.time.run(12 * minuteMs);
    told(server, /^Task failed/, "kms:DescribeKey", /take this server's keys for stale/);
    await sign(server);
  });

  it("kms:GetPublicKey: neither new keys nor a start with old ones", async () => {
    const { authorized, account, server } = await losing("kms:GetPublicKey");
    await assert.rejects(generate(server), denied(/failed to get public key/, "kms:GetPublicKey"));
    const start = authorized.start("a", {}, without("kms:GetPublicKey"));
    await assert.rejects(start, denied(/failed to fetch aliases/, "kms:GetPublicKey"));
    await account.time.run(minuteMs);
    assert.equal(lines(server, /^Key scheduled for deletion$/, "info").length, 1);
    await sign(server);
  });

  it("kms:ListKeys: only the stale-key scan does not work, and it says so less and less often", async () => {
    const { authorized, account, server, keyArn } = await losing("kms:ListKeys");
    const again = await authorized.start("a", {}, without("kms:ListKeys"));
    assert.equal(arnOf(again), keyArn);
    server.kill();
    await account.time.run(11 * minuteMs);
    told(again, /^Task failed/, "kms:ListKeys", /failed generations and crashes left behind are not pruned/);
    await sign(again);
    await generate(again);
    await account.time.run(30 * dayMs);
    assert.ok(lines(again, /^Task failed/).length < 25, `${lines(again, /^Task failed/).length} lines in a month`);
    assert.equal(await stateOf(account, arnOf(again)), "Enabled");
  });

  it("kms:ListAliases: Configure fails; a running server does not prune", async () => {
    const { authorized, account, server } = await losing("kms:ListAliases");
    const start = authorized.start("a", {}, without("kms:ListAliases"));
    await assert.rejects(start, denied(/failed to fetch aliases/, "kms:ListAliases"));
    await account.time.run(12 * minuteMs);
    const [line] = lines(server, /^Task failed/).filter(({ fields }) => fields.task === "prune stale aliases");
    assert.match(String(line?.fields.reason), /allow kms:ListAliases /);
    assert.match(String(line?.fields.consequence), /servers that are gone are not pruned/);
    await sign(server);
    await generate(server);
  });

  it("kms:ScheduleKeyDeletion: rotation works, replaced keys stay until it is allowed again", async () => {
    const { account, server, keyArn } = await losing("kms:ScheduleKeyDeletion");
    await generate(server);
    await account.time.run(minuteMs / 2);
    told(server, /^Failed to schedule key deletion/, "kms:ScheduleKeyDeletion");
    await account.time.run(23 * hourMs);
    assert.ok(lines(server, /^Failed to schedule key deletion/).length < 200, "tried less and less often");
    server.accessKeyId = full;
    await account.time.run(hourMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
  });

  it("kms:ScheduleKeyDeletion for days: what the queue gives up the scans take up again", async () => {
    const { account, server, keyArn } = await losing("kms:ScheduleKeyDeletion");
    await generate(server);
    await account.time.run(30 * hourMs);
    assert.equal(lines(server, /^Key deletion gave up/, "error").length, 1);
    server.accessKeyId = full;
    await account.time.run(4 * dayMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
  });

  it("kms:Sign: signing, and nothing else", async () => {
    const { server, keyArn } = await losing("kms:Sign");
    await assert.rejects(
      sign(server),
      denied(new RegExp(`failed to sign with key "x509-CA-A" \\(${keyArn}`), "kms:Sign"),
    );
    await generate(server);
  });

  it("kms:TagResource with key_tags: keys cannot be made, and it is not kms:CreateKey that is asked for", async () => {
    const { server } = await losing("kms:TagResource", { key_tags: { Team: "security" } });
    await assert.rejects(generate(server), denied(/failed to create key/, "kms:TagResource"));
    await sign(server);
  });

  it("kms:TagResource in tag mode: tags grow old, a migration goes on later", async () => {
    const { authorized, account, server } = await losing("kms:TagResource", tagMode);
    await account.time.run(11 * minuteMs);
    told(server, /^Task failed/, "kms:TagResource", /run in tag mode take this server's keys for stale/);
    await sign(server);
    const untagged = await authorized.start("b");
    await generate(untagged);
    const keyArn = arnOf(untagged);
    const migrating = await authorized.start("b", tagMode, without("kms:TagResource"));
    assert.equal(arnOf(migrating), keyArn);
    told(migrating, /^Keys found by their aliases could not be tagged yet/, "kms:TagResource");
    await sign(migrating);
    migrating.accessKeyId = full;
    await account.time.run(hourMs);
    assert.equal((await tagsOf(account, keyArn)).get("spire-active"), "true");
  });

  it("kms:ListAliases in tag mode: a start goes without, and finds what it can name", async () => {
    const { authorized, account } = await losing("kms:ListAliases", tagMode);
    const fresh = await authorized.start("fresh", tagMode, without("kms:ListAliases"));
    assert.equal(fresh.entries.size, 0);
    told(fresh, /^Aliases may not be listed/, "kms:ListAliases");
    const untagged = await authorized.start("b");
    const keyArn = await generate(untagged);
    untagged.kill();
    const migrating = await authorized.start("b", tagMode, without("kms:ListAliases"));
    assert.equal(arnOf(migrating), keyArn);
    assert.equal((await tagsOf(account, keyArn)).get("spire-key-id"), "x509-CA-A");
    await sign(migrating);
  });

  it("kms:TagResource with retag_existing_keys: told once a key, and the plugin serves", async () => {
    const { authorized } = await losing("kms:TagResource");
    const settings = { retag_existing_keys: true, key_tags: { Team: "security" } };
    const server = await authorized.start("a", settings, without("kms:TagResource"));
    told(server, /retag_existing_keys/, "kms:TagResource");
    await sign(server);
  });

  it("kms:DeleteAlias: a stale alias stays until its key is deleted", async () => {
    const { authorized, account, server } = await losing("kms:DeleteAlias");
    const dead = await authorized.start("ab");
    const keyArn = await generate(dead);
    dead.kill();
    await account.time.run(16 * dayMs);
    assert.equal(await stateOf(account, keyArn), "PendingDeletion");
    assert.ok((await aliases(account)).has(aliasOf("ab")));
    told(server, /^Failed to delete a stale alias: KMS deletes it with its key/, "kms:DeleteAlias");
    await account.time.run(8 * dayMs);
    assert.ok(!(await aliases(account)).has(aliasOf("ab")));
  });

  it("tag:GetResources: no tag mode, and it must stand in an identity policy", async () => {
    const { authorized, account, server } = await losing("tag:GetResources", tagMode);
    const start = authorized.start("a", tagMode, without("tag:GetResources"));
    await assert.rejects(start, (error: unknown) => {
      denied(/failed to find keys by their tags/, "tag:GetResources")(error);
      assert.match(String(error), /identity policy/);
      return true;
    });
    await account.time.run(11 * minuteMs);
    told(server, /^Task failed/, "tag:GetResources", /are not pruned/);
    await authorized.start("a", {}, without("tag:GetResources"));
    await sign(server);
  });

  it("kms:DescribeKey on foreign keys: one line, then silence, and the rest is pruned", async () => {
    const authorized = new AuthorizedAccount();
    const { account } = authorized;
    account.callAs = full;
    const Policy = JSON.stringify(policy({ ...allow, Action: "kms:*", Principal: { AWS: otherRole } }));
    for (let count = 0; count < 20; count++) {
      const description = count % 2 === 0 ? "theirs" : `SPIRE_SERVER/${trustDomain}`;
      await operatorKey(account, description, undefined, { Policy, BypassPolicyLockoutSafetyCheck: true });
    }
    const orphan = await operatorKey(account, `SPIRE_SERVER/${trustDomain}`);
    const server = await authorized.start();
    await account.time.run(30 * dayMs);
    const mentions = server.log.filter(({ fields }) => /DescribeKey/.test(String(fields.reason)));
    assert.equal(mentions.length, 1);
    assert.equal(mentions[0]?.level, "info");
    assert.match(String(mentions[0]?.message), /not mentioned again/);
    assert.equal(await stateOf(account, orphan).catch(() => "deleted"), "deleted");
  });

  it("kms:DescribeKey on one key that our tags are on: the other stale ones are pruned", async () => {
    const authorized = new AuthorizedAccount();
    const { account } = authorized;
    account.callAs = full;
    const Policy = JSON.stringify(policy({ ...allow, Action: "kms:*", Principal: { AWS: otherRole } }));
    const Tags = Object.entries({
      "spire-server-td": trustDomain,
      "spire-server-id": "dead",
      "spire-key-id": "x509-CA-A",
      "spire-active": "true",
      "spire-last-update": "1700000000",
    }).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const description = `SPIRE_SERVER/${trustDomain}`;
    await operatorKey(account, description, undefined, { Tags, Policy, BypassPolicyLockoutSafetyCheck: true });
    const stale = await operatorKey(account, description, undefined, { Tags });
    const server = await authorized.start("a", tagMode);
    await account.time.run(18 * dayMs);
    assert.equal(await stateOf(account, stale), "PendingDeletion");
    assert.equal(lines(server, /^Task failed/).length, 0);
    assert.equal(lines(server, /not mentioned again/, "info").length, 1);
  });
});
