/** Permissions of keys in more Regions than one: `policy` prints what is needed and enough, `doctor` and `promote` name what is missing. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { readConfiguration } from "../../src/cli/configuration/configuration.ts";
import { policyDocument } from "../../src/cli/policy/policy-text.ts";
import { promotionStatements } from "../../src/cli/policy/region-statements.ts";
import type { Statement } from "../../src/cli/policy/statement.ts";
import { iamStatements } from "../../src/cli/policy/statements.ts";
import { HashAlgorithm } from "../../src/plugin-sdk/index.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { Stage } from "../plugin/harness/stage.ts";
import { account, aliasOf, region, trustDomain, useDesk } from "./desk.ts";

const west = "us-west-2";
const europe = "eu-west-1";
const role = `arn:aws:iam::${account}:role/spire-server`;
const place = { partition: "aws", account, region };

const files = mkdtempSync(join(tmpdir(), "regions-conf-"));
const write = (name: string, data: string): string => {
  const path = join(files, name);
  writeFileSync(
    path,
    `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "aws_kms" { plugin_cmd = "${pluginCommand}" plugin_data { ${data} } } }\n`,
  );
  return path;
};
const data = {
  plain: `region = "${region}" key_identifier_value = "s1" replica_regions = ["${west}", "${europe}"]`,
  tagged: `region = "${region}" key_identifier_value = "s1" replica_regions = ["${west}", "${europe}"] failover_regions = ["${west}"] key_tags { Component = "spire" }`,
  tags: `region = "${region}" key_identifier_value = "s1" replica_regions = ["${west}", "${europe}"] enable_tag_based_key_discovery = true`,
};
const plain = write("plain.conf", data.plain);
const standby = write(
  "standby.conf",
  `region = "${west}" key_identifier_value = "s1" replica_regions = ["${region}", "${europe}"]`,
);
/** Others make the replicas; signatures and a start may go there. */
const byOthers = write(
  "by-others.conf",
  `region = "${region}" key_identifier_value = "s1" multi_region = true failover_regions = ["${west}"]`,
);
const single = write("single.conf", `region = "${region}" key_identifier_value = "s1"`);

const statementsOf = async (file: string) =>
  iamStatements(await readConfiguration({ config: file }, {}), place, { roleArn: role, isPathKnown: true });

/** One action on one resource, and the statements without it. */
interface Grant {
  readonly sid: string;
  readonly action: string;
  readonly resource: string;
  readonly rest: readonly Statement[];
}

function grantsOf(statements: readonly Statement[]): readonly Grant[] {
  return statements.flatMap((statement, index) =>
    statement.actions.flatMap((action) =>
      statement.resources.map((resource) => {
        const others = statement.actions.filter((other) => other !== action);
        const elsewhere = statement.resources.filter((other) => other !== resource);
        const kept = [
          ...(others.length === 0 ? [] : [{ ...statement, actions: others }]),
          ...(elsewhere.length === 0 ? [] : [{ ...statement, actions: [action], resources: elsewhere }]),
        ];
        return { sid: statement.sid, action, resource, rest: statements.toSpliced(index, 1, ...kept) };
      }),
    ),
  );
}

const identity = (accessKeyId: string, statements: readonly Statement[]) => ({
  accessKeyId,
  arn: `arn:aws:sts::${account}:assumed-role/spire-server/${accessKeyId}`,
  policies: [policyDocument(statements)],
});

const whole = await statementsOf(plain);
const ofOthers = await statementsOf(byOthers);
/** What is taken away, and the configuration that is looked at without it. */
const grants = [
  ...grantsOf(whole).map((grant) => ({ ...grant, config: plain })),
  ...grantsOf(ofOthers.filter(({ sid }) => /Elsewhere|InOtherRegions/.test(sid))).map(({ rest, ...grant }) => {
    const others = ofOthers.filter(({ sid }) => !/Elsewhere|InOtherRegions/.test(sid));
    return { ...grant, rest: [...others, ...rest], config: byOthers };
  }),
];
const toPromote = promotionStatements(await readConfiguration({ config: standby }, {}), { ...place, region: west });
const promoteGrants = grantsOf(toPromote).filter(({ resource }) => !resource.includes(europe));

/** No harmless call tells of these. */
const untold = new Set([
  "kms:CreateKey",
  "kms:CreateAlias",
  "kms:UpdateAlias",
  "kms:DeleteAlias",
  "iam:CreateServiceLinkedRole",
]);

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly finding: string;
  readonly permission?: string;
}

describe("keys in more Regions than one", () => {
  after(() => rmSync(files, { recursive: true }));
  const desk = useDesk({
    daysAgo: 1,
    emulator: {
      identities: [
        identity("AKIAWHOLE", whole),
        ...grants.map(({ rest }, index) => identity(`AKIAWITHOUT${index}`, rest)),
        identity("AKIAPROMOTE", toPromote),
        ...promoteGrants.map(({ rest }, index) => identity(`AKIAPROMOTEWITHOUT${index}`, rest)),
      ],
    },
  });
  before(async () => {
    const key = await desk.serverKey("s1", "x509-CA-A", { MultiRegion: true });
    for (const ReplicaRegion of [west, europe]) {
      await desk.call("ReplicateKey", { KeyId: key, ReplicaRegion, Description: `SPIRE_SERVER/${trustDomain}` });
      desk.emulator.control.advance(60_000);
      await desk.call(
        "CreateAlias",
        { AliasName: aliasOf("s1", "x509-CA-A"), TargetKeyId: key },
        { region: ReplicaRegion },
      );
    }
    desk.today();
    await desk.refresh("s1", "x509-CA-A", key);
  });
  const doctor = async (accessKeyId: string, config = plain) => {
    const result = await desk.run(["doctor", "--config", config, "--json"], {
      env: { AWS_ACCESS_KEY_ID: accessKeyId },
    });
    return { code: result.code, findings: JSON.parse(result.stdout).findings as readonly Finding[] };
  };

  it("are in the policy: what replicas need, where they need it", async () => {
    const ofSingle = new Set((await statementsOf(single)).map(({ sid }) => sid));
    const more = whole.filter(({ sid }) => !ofSingle.has(sid));
    const keys = [west, europe].map((there) => `arn:aws:kms:${there}:${account}:key/*`);
    assert.deepEqual(policyDocument(more), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "ReplicateKeys",
          Effect: "Allow",
          Action: "kms:ReplicateKey",
          Resource: `arn:aws:kms:${region}:${account}:key/*`,
          Condition: { StringEquals: { "kms:ReplicaRegion": [west, europe] } },
        },
        {
          Sid: "MakeReplicas",
          Effect: "Allow",
          Action: "kms:CreateKey",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": [region, west, europe] } },
        },
        {
          Sid: "FindReplicas",
          Effect: "Allow",
          Action: "kms:ListAliases",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": [west, europe] } },
        },
        {
          Sid: "NameAndScheduleReplicas",
          Effect: "Allow",
          Action: [
            "kms:CreateAlias",
            "kms:GetKeyLastUsage",
            "kms:GetPublicKey",
            "kms:ScheduleKeyDeletion",
            "kms:UpdateAlias",
          ],
          Resource: keys,
        },
        { Sid: "SignInOtherRegions", Effect: "Allow", Action: "kms:Sign", Resource: keys },
        {
          Sid: "LetKmsKeepReplicasInStep",
          Effect: "Allow",
          Action: "iam:CreateServiceLinkedRole",
          Resource: `arn:aws:iam::${account}:role/aws-service-role/mrk.kms.amazonaws.com/AWSServiceRoleForKeyManagementServiceMultiRegionKeys`,
          Condition: { StringEquals: { "iam:AWSServiceName": "mrk.kms.amazonaws.com" } },
        },
      ],
    });
    const names = whole.find(({ sid }) => sid === "NameKeys");
    assert.deepEqual(
      names?.resources,
      [region, west, europe].map((there) => `arn:aws:kms:${there}:${account}:alias/SPIRE_SERVER/example_org/s1/*`),
    );
  });

  it("are in the policy: what a start needs where others make the replicas", () => {
    assert.deepEqual(policyDocument(ofOthers.filter(({ sid }) => /Elsewhere|InOtherRegions/.test(sid))), {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "FindKeysElsewhere",
          Effect: "Allow",
          Action: "kms:ListAliases",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": west } },
        },
        {
          Sid: "LookAtKeysElsewhere",
          Effect: "Allow",
          Action: ["kms:DescribeKey", "kms:GetPublicKey"],
          Resource: `arn:aws:kms:${west}:${account}:key/*`,
        },
        {
          Sid: "SignInOtherRegions",
          Effect: "Allow",
          Action: "kms:Sign",
          Resource: `arn:aws:kms:${west}:${account}:key/*`,
        },
      ],
    });
  });

  it("are in Terraform, in the key policy, and in what promote needs", async () => {
    const iam = await desk.run(["policy", "iam", "--config", plain, "--role", role, "--terraform"]);
    assert.match(iam.stdout, /variable = "kms:ReplicaRegion"\n {6}values = \[\n {8}"us-west-2",\n {8}"eu-west-1",\n/);
    assert.match(iam.stderr, /iam:CreateServiceLinkedRole is used once in an account.*create-service-linked-role/);
    assert.match(iam.stderr, /--promote prints what that needs/);
    const key = await desk.run(["policy", "key", "--config", plain, "--role", role]);
    const [server, administrator] = JSON.parse(key.stdout).Statement;
    assert.ok(server.Action.includes("kms:ReplicateKey") && !server.Action.includes("kms:UpdatePrimaryRegion"));
    assert.ok(administrator.Action.includes("kms:UpdatePrimaryRegion"));
    const promote = await desk.run(["policy", "iam", "--config", standby, "--role", role, "--promote", "--terraform"]);
    assert.match(promote.stdout, /^data "aws_iam_policy_document" "spire_promote" \{[\s\S]*"kms:UpdatePrimaryRegion"/);
    const older = await desk.run([
      "policy",
      "iam",
      "--key-prefix",
      "A/",
      "--region",
      region,
      "--role",
      role,
      "--promote",
    ]);
    assert.equal(older.code, 2);
    assert.match(older.stderr, /--promote: the kms plugin makes single-Region keys/);
  });

  it("are well: doctor finds that all is allowed, and that replicas are ready", async () => {
    const state = desk.state();
    const { code, findings } = await doctor("AKIAWHOLE");
    assert.equal(code, 0);
    const bad = findings.filter(({ level, check }) => level !== "ok" && check !== "plugin file");
    assert.deepEqual(
      bad.map(({ level, permission }) => `${level} ${permission}`),
      [
        "unknown kms:CreateKey",
        "unknown kms:CreateAlias",
        "unknown kms:UpdateAlias",
        "unknown kms:DeleteAlias",
        "unknown kms:CreateKey",
        "unknown kms:CreateAlias",
        "unknown kms:UpdateAlias",
        "unknown iam:GetRole",
        "unknown kms:GetKeyPolicy",
      ],
    );
    const words = findings.map(({ finding }) => finding).join("\n");
    for (const text of [
      /AWS KMS in us-west-2 answers; it is there for replicas and signatures while KMS fails/,
      /kms:ReplicateKey to eu-west-1 is allowed/,
      /kms:Sign in us-west-2 is allowed \(on a key of this server, DryRun\)/,
      /iam:CreateServiceLinkedRole is not needed any more/,
      /1 of this server's keys have a replica in us-west-2 that is ready/,
    ])
      assert.match(words, text);
    assert.equal(desk.state(), state);
  });

  for (const [index, { sid, action, resource, config }] of grants.entries()) {
    if (untold.has(action)) continue;
    it(`doctor names ${action} of ${sid} on ${resource} when it is missing`, async () => {
      const { findings } = await doctor(`AKIAWITHOUT${index}`, config);
      const found = findings.filter(({ permission, level }) => permission === action && /warning|problem/.test(level));
      const where = /^Find(?:Replicas|KeysElsewhere)$/.test(sid)
        ? west
        : (/arn:aws:kms:([^:]+):/.exec(resource)?.[1] ?? region);
      assert.ok(
        found.some(({ finding }) => where === region || finding.includes(` ${where} is missing: `)),
        JSON.stringify(
          findings.filter(({ level }) => level !== "ok"),
          undefined,
          1,
        ),
      );
      assert.ok(
        findings.some(({ check }) => check === "quotas"),
        "and goes on with the rest",
      );
    });
  }

  it("doctor tells of a Region that does not answer, and of replicas that are not ready, without failing", async () => {
    const away = write("away.conf", `${data.plain} replica_endpoints { ${west} = "http://127.0.0.1:9" }`);
    const result = await desk.run(["doctor", "--config", away, "--json"], { env: { AWS_ACCESS_KEY_ID: "AKIAWHOLE" } });
    assert.equal(result.code, 0, result.stderr);
    const { findings } = JSON.parse(result.stdout) as { findings: readonly Finding[] };
    const warned = findings.filter(({ level }) => level === "warning").map(({ finding }) => finding);
    assert.ok(warned.some((text) => /AWS KMS in us-west-2 does not answer this server: .*ECONNREFUSED/.test(text)));
    await desk.call("DisableKey", { KeyId: await keyIn(europe) }, { region: europe });
    const disabled = await doctor("AKIAWHOLE");
    await desk.call("EnableKey", { KeyId: await keyIn(europe) }, { region: europe });
    assert.ok(
      disabled.findings.some(
        ({ level, finding }) =>
          level === "warning" &&
          /x509-CA-A in eu-west-1: unusable, the replica is disabled; aws kms enable-key --region eu-west-1/.test(
            finding,
          ),
      ),
    );
  });
  const keyIn = async (there: string): Promise<string> =>
    (
      await desk.call<{ KeyMetadata: { KeyId: string } }>(
        "DescribeKey",
        { KeyId: aliasOf("s1", "x509-CA-A") },
        { region: there },
      )
    ).KeyMetadata.KeyId;

  for (const [index, { action, resource }] of promoteGrants.entries()) {
    it(`promote names ${action} on ${resource} when it is missing, and changes nothing`, async () => {
      const state = desk.state();
      const env = { AWS_ACCESS_KEY_ID: `AKIAPROMOTEWITHOUT${index}` };
      const { code, stderr } = await desk.run(["promote", "--config", standby, "--yes"], { env });
      assert.ok(code === 1 || code === 3, `${code} ${stderr}`);
      assert.match(stderr, new RegExp(`allow ${action} for this identity`));
      assert.equal(desk.state(), state);
    });
  }

  it("are promoted with what the policy for that allows", async () => {
    const { code, stderr } = await desk.run(["promote", "--config", standby, "--yes"], {
      env: { AWS_ACCESS_KEY_ID: "AKIAPROMOTE" },
    });
    assert.equal(code, 0, stderr);
  });

  for (const [name, settings] of Object.entries(data)) {
    it(`live their whole life by the policy, ${name}: made, replicated, rotated, scheduled for deletion everywhere`, async () => {
      const file = write(`${name}-life.conf`, settings);
      const configuration = await readConfiguration({ config: file }, {});
      const statements = await statementsOf(file);
      const key = await desk.run(["policy", "key", "--config", file, "--role", role]);
      const accessKeyId = "AKIASERVER";
      const server = {
        ...identity(accessKeyId, statements),
        arn: `arn:aws:sts::${account}:assumed-role/spire-server/s1`,
      };
      const stage = new Stage({
        emulator: { authorize: true, region, identities: [server], roles: [{ arn: role }], transitionMs: 0 },
      });
      await stage.open();
      try {
        const policyFile = await desk.write(`${name}.policy.json`, key.stdout);
        const plugin = await stage.start({ env: { AWS_ACCESS_KEY_ID: accessKeyId } });
        await plugin.configureText(`${settings}\nkey_policy_file = "${policyFile}"`, trustDomain);
        await plugin.generate("x509-CA-A");
        for (const there of configuration.config.multiRegion.replicaRegions)
          await plugin.logged(/^Replica is ready$/, there);
        await plugin.generate("x509-CA-A");
        for (const there of [west, europe]) await plugin.logged(/^Key scheduled for deletion$/, `:${there}:`);
        await plugin.logged(/^Key scheduled for deletion$/, `:${region}:`);
        const { signature } = await plugin.keyManager.signData({
          keyId: "x509-CA-A",
          data: new Uint8Array(32),
          signerOpts: { case: "hashAlgorithm", value: HashAlgorithm.SHA256 },
        });
        assert.ok(signature.length > 60);
        const denied = plugin.said.filter((line) => /is not authorized|AccessDenied/.test(line));
        assert.deepEqual(denied, []);
      } finally {
        await stage.close();
      }
    });
  }
});
