/** `spire-aws-kms keys` about multi-Region keys: each member as it is in its own Region, and what all of them cost. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { account, aliasOf, type Run, region, settled, transcript, trustDomain, useDesk } from "./desk.ts";

const west = "us-west-2";
const europe = "eu-west-1";
const asia = "ap-south-1";

interface Member {
  readonly region: string;
  readonly role: string;
  readonly looked_after: boolean;
  readonly condition: string;
  readonly key_state?: string;
  readonly monthly_cost_usd: number;
  readonly why?: string;
}

interface Document {
  readonly regions: readonly {
    readonly complete: boolean;
    readonly monthly_cost_usd: number;
    readonly members: {
      readonly by_condition: Readonly<Record<string, number>>;
      readonly monthly_cost_usd: number;
      readonly not_looked_at: number;
    };
    readonly replica_cost?: object;
    readonly troubles: readonly { readonly permission?: string; readonly consequence: string }[];
  }[];
  readonly keys: readonly {
    readonly region: string;
    readonly spire_key_id?: string;
    readonly primary_region?: string;
    readonly members: readonly Member[];
  }[];
  readonly aws_calls: { readonly total: number; readonly by_operation: Readonly<Record<string, number>> };
}

const document = ({ stdout }: Run): Document => JSON.parse(stdout);
const operator = (accessKeyId: string, deniedIn: string) => ({
  accessKeyId,
  arn: `arn:aws:sts::${account}:assumed-role/operator/${accessKeyId}`,
  policies: [
    {
      Version: "2012-10-17",
      Statement: [
        { Effect: "Allow", Action: "kms:*", Resource: "*" },
        {
          Effect: "Deny",
          Action: "kms:*",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": deniedIn } },
        },
      ],
    },
  ],
});

describe("spire-aws-kms keys, of multi-Region keys", () => {
  const desk = useDesk({
    daysAgo: 1,
    emulator: { identities: [operator("AKIAALL", "none"), operator("AKIANOTWEST", west)] },
  });
  const env = { AWS_ACCESS_KEY_ID: "AKIAALL" };

  /** KMS takes a while to create a replica. */
  const replicate = async (KeyId: string, ReplicaRegion: string) => {
    await desk.call("ReplicateKey", { KeyId, ReplicaRegion });
    desk.emulator.control.advance(120_000);
  };
  const name = (keyId: string, TargetKeyId: string, where: string, server = "own") =>
    desk.call("CreateAlias", { AliasName: aliasOf(server, keyId), TargetKeyId }, { region: where });

  before(async () => {
    const multi = { MultiRegion: true };
    const good = await desk.serverKey("own", "x509-CA-A", multi);
    for (const where of [west, europe]) {
      await replicate(good, where);
      await name("x509-CA-A", good, where);
    }
    const mixed = await desk.serverKey("own", "x509-CA-B", multi);
    await replicate(mixed, west);
    await name("x509-CA-B", mixed, west);
    await desk.call("DisableKey", { KeyId: mixed }, { region: west });
    await replicate(mixed, asia);
    const young = await desk.serverKey("own", "JWT-Signer-A", multi);
    await replicate(young, west);
    const rival = await desk.key({}, { region: europe });
    await name("JWT-Signer-A", rival, europe);
    await desk.serverKey("own", "JWT-Signer-B");
    const other = await desk.serverKey("other", "x509-CA-A", multi);
    await replicate(other, asia);
    await desk.call("ScheduleKeyDeletion", { KeyId: other, PendingWindowInDays: 7 }, { region: asia });
    desk.today();
    await desk.write(
      "server.conf",
      `server { trust_domain = "${trustDomain}" }
      plugins { KeyManager "aws_kms" { plugin_data { region = "${region}" key_identifier_value = "own" replica_regions = ["${west}", "${europe}"] } } }`,
    );
  });

  const run = (args: readonly string[], more = env) => desk.run(["keys", ...args], { env: more });
  const conf = ["--config", "server.conf"];
  const membersOf = (result: Run, id: string) =>
    document(result)
      .keys.filter(({ spire_key_id }) => spire_key_id === id)
      .map(({ members }) => members.map(({ region: where, condition }) => `${where} ${condition}`));

  it("shows each member beside its key, why it is not ready, and what they cost", async () => {
    const args = [...conf, "--sort", "server,key", "--verbose"];
    const before = desk.state();
    const result = await run(args);
    const lines = transcript(["keys", ...args], result, desk).slice(2);
    assert.deepEqual(
      lines.map((line) => line.replace(/\d+ h ago +\d+ d/, "AGO")),
      [
        "other                                 x509-CA-A       ec-p256   Enabled          DAY   AGO  -              1.00  in use",
        "  replica in ap-south-1: unusable, the replica is scheduled for deletion; aws kms cancel-key-deletion --region ap-south-1 --key-id arn:aws:kms:ap-south-1:111122223333:key/mrk-1, then enable-key",
        "own*                                  JWT-Signer-A    ec-p256   Enabled          DAY   AGO  -              1.00  in use",
        "  replica in us-west-2: pending, it has no alias there yet; replica in eu-west-1: conflict, its alias there: it stands on a single-Region key, which another server has made",
        "own*                                  JWT-Signer-B    ec-p256   Enabled          DAY   AGO  -              1.00  in use",
        "  replica in us-west-2: single-Region, a single-Region key gets no replica; the next rotation replaces it; replica in eu-west-1: single-Region, a single-Region key gets no replica; the next rotation replaces it",
        "own*                                  x509-CA-A       ec-p256   Enabled          DAY   AGO  -              1.00  in use",
        "  replica in us-west-2: ready; replica in eu-west-1: ready",
        "own*                                  x509-CA-B       ec-p256   Enabled          DAY   AGO  -              1.00  in use",
        "  replica in us-west-2: unusable, the replica is disabled; aws kms enable-key --region us-west-2 --key-id arn:aws:kms:us-west-2:111122223333:key/mrk-2; replica in eu-west-1: missing, it was not made yet; replica in ap-south-1 (not in replica_regions): ready",
        "5 keys of 2 servers in us-east-2: 5 in use; in other Regions: 3 ready, 1 pending, 1 missing, 2 unusable, 1 conflict, 2 single-Region; $5.00 a month at list price, $10.00 with those in other Regions",
        "this server's keys in use, with replicas: $9.00 a month; $13.00 once each has one in us-west-2, eu-west-1, and $4.00 without replicas",
        "16 calls of AWS: 14 DescribeKey, 1 ListAliases, 1 ListKeys; never more than 200 a second",
        "exit 0",
      ],
    );
    assert.equal(desk.state(), before);
  });

  it("tells programs of each member", async () => {
    const result = await run([...conf, "--json"]);
    const { regions, keys } = document(result);
    const mixed = keys.find(({ spire_key_id }) => spire_key_id === "x509-CA-B");
    assert.equal(mixed?.primary_region, region);
    const [inWest, inEurope, inAsia] = mixed?.members ?? [];
    assert.deepEqual(
      [inWest?.role, inWest?.looked_after, inWest?.condition, inWest?.key_state, inWest?.monthly_cost_usd],
      ["replica", true, "unusable", "Disabled", 1],
    );
    assert.deepEqual([inEurope?.condition, inEurope?.monthly_cost_usd], ["missing", 0]);
    assert.deepEqual([inAsia?.condition, inAsia?.looked_after, inAsia?.key_state], ["ready", false, "Enabled"]);
    const [home] = regions;
    assert.equal(home?.complete, true);
    assert.deepEqual(home?.members, {
      by_condition: { ready: 3, pending: 1, missing: 1, unusable: 2, conflict: 1, "single-Region": 2, unknown: 0 },
      monthly_cost_usd: 5,
      not_looked_at: 0,
    });
    assert.deepEqual(home?.replica_cost, { now_usd: 9, with_all_usd: 13, without_usd: 4 });
  });

  it("shows members that others made without any setting, sorts and filters by them", async () => {
    const flags = ["--trust-domain", trustDomain, "--region", region];
    const shown = await run([...flags, "--filter", "replicas=*ap-south-1:*", "--json"]);
    assert.deepEqual(membersOf(shown, "x509-CA-B"), [["us-west-2 unusable", "ap-south-1 ready"]]);
    assert.equal(document(shown).keys.length, 2);
    const problems = await run([...conf, "--problems", "--sort", "-replicas", "--wide"]);
    assert.match(problems.stdout, /us-west-2:unusable eu-west-1:missing ap-south-1:ready/);
    assert.doesNotMatch(problems.stdout, /JWT-Signer-B/);
  });

  it("asks for each member once, whatever Regions are looked at", async () => {
    const one = document(await run([...conf, "--json"])).aws_calls.by_operation.DescribeKey ?? 0;
    const regions = [region, west, europe, asia].join(",");
    const all = await run([...conf, "--regions", regions, "--json"]);
    const { keys, aws_calls } = document(all);
    assert.equal(keys.filter(({ region: where }) => where !== region).length, 4);
    // Beside what one Region takes: each of the seven keys that stand in the others, and two primaries seen from there.
    assert.equal(aws_calls.by_operation.DescribeKey, one + 7 + 2);
    const seenFromWest = keys.find(({ region: where, spire_key_id }) => where === west && spire_key_id === "x509-CA-A");
    assert.deepEqual(
      seenFromWest?.members.map(({ region: where, role, condition }) => `${role} ${where} ${condition}`),
      [`primary ${region} ready`, `replica ${europe} ready`],
    );
  });

  it("leaves them out when told so, and costs no call then", async () => {
    const result = await run([...conf, "--replicas", "none", "--json"]);
    const { keys, aws_calls, regions } = document(result);
    assert.ok(keys.every(({ members }) => members.length === 0));
    assert.equal(aws_calls.by_operation.DescribeKey, 5);
    assert.equal(regions[0]?.replica_cost, undefined);
  });

  it("goes on without a permission in another Region, and names it once", async () => {
    const result = await run(conf, { AWS_ACCESS_KEY_ID: "AKIANOTWEST" });
    assert.equal(result.code, 4);
    assert.equal(
      result.stderr.match(/kms:DescribeKey is missing: the state of members in us-west-2 is not known/g)?.length,
      1,
    );
    assert.match(
      settled(result.stdout, desk),
      /replica in us-west-2: unknown, kms:DescribeKey is denied in us-west-2; replica in eu-west-1: ready/,
    );
    assert.match(result.stdout, /\$10\.00 with those in other Regions/);
  });

  it("goes on when another Region does not answer, and asks it no more", async () => {
    await desk.write(
      "away.conf",
      `server { trust_domain = "${trustDomain}" }
      plugins { KeyManager "aws_kms" { plugin_data { region = "${region}" key_identifier_value = "own" replica_regions = ["${west}", "${europe}"] replica_endpoints { ${west} = "http://127.0.0.1:9" } } } }`,
    );
    const result = await run(["--config", "away.conf"]);
    assert.equal(result.code, 4, result.stderr);
    assert.match(result.stderr, /the state of members in us-west-2 is not known; .*ECONNREFUSED/);
    assert.match(
      result.stdout,
      /replica in us-west-2: unknown, KMS in us-west-2 does not answer; replica in eu-west-1: ready/,
    );
  });
});
