/** `spire-aws-kms doctor`: what it finds, what it cannot tell, and that it changes nothing. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { chmodSync, readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { keyWithout, type Permission, type Run, region, settled, trustDomain, useDesk } from "./desk.ts";

interface Finding {
  readonly check: string;
  readonly level: "ok" | "warning" | "problem" | "unknown";
  readonly finding: string;
  readonly remedy?: string;
  readonly permission?: string;
}

interface Document {
  readonly format: string;
  readonly version: number;
  readonly would_fail: boolean;
  readonly findings: readonly Finding[];
}

const checksum = createHash("sha256").update(readFileSync(pluginCommand)).digest("hex");

describe("spire-aws-kms doctor", () => {
  const desk = useDesk({ daysAgo: 20 });

  const conf = (
    data: string,
    block = `plugin_cmd = "${pluginCommand}" plugin_checksum = "${checksum}"`,
    name = "aws_kms",
  ) =>
    `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "${name}" { ${block} plugin_data { ${data} } } }\n`;
  const usual = `region = "${region}" key_identifier_value = "own"`;

  before(async () => {
    const own = await desk.serverKey("own", "x509-CA-A");
    const quiet = await desk.serverKey("quiet", "x509-CA-A");
    desk.pass(8);
    await desk.refresh("quiet", "x509-CA-A", quiet);
    desk.today();
    await desk.refresh("own", "x509-CA-A", own);
    await desk.serverKey("own-2", "x509-CA-A");
    await desk.write("server.conf", conf(usual));
  });

  const doctor = (...args: readonly string[]) => desk.run(["doctor", ...args]);
  const document = ({ stdout }: Run): Document => JSON.parse(stdout);
  const found = (result: Run, level: Finding["level"], says: RegExp): Finding => {
    const { findings } = document(result);
    const match = findings.find((finding) => finding.level === level && says.test(finding.finding));
    assert.ok(match, `no ${level} says ${says}: ${JSON.stringify(findings, undefined, 1)}`);
    if (level !== "ok") assert.ok(match.remedy, "each has its remedy");
    return match;
  };

  it("finds a server that would start, and says what no harmless call can tell", async () => {
    const before = desk.state();
    const files = await desk.files();
    const result = await doctor("--config", "server.conf", "--json");
    assert.equal(result.code, 0, result.stdout);
    const { format, version, would_fail, findings } = document(result);
    assert.deepEqual([format, version, would_fail], ["spire-aws-kms/doctor", 1, false]);
    assert.deepEqual(
      findings.filter(({ level }) => level === "unknown").map(({ permission }) => permission),
      ["kms:CreateKey", "kms:CreateAlias", "kms:UpdateAlias", "kms:DeleteAlias"],
    );
    for (const permission of [
      "kms:ListAliases",
      "kms:ListKeys",
      "kms:DescribeKey",
      "kms:GetPublicKey",
      "kms:Sign",
      "kms:GetKeyLastUsage",
      "kms:ScheduleKeyDeletion",
    ]) {
      assert.equal(findings.find((finding) => finding.permission === permission)?.level, "ok", permission);
    }
    found(result, "ok", /plugin_checksum is the file's/);
    found(
      result,
      "ok",
      /^the credentials are arn:aws:sts::111122223333:assumed-role\/operator\/.*, from: keys of the environment$/,
    );
    found(result, "ok", /AWS KMS in us-east-2 answers in \d+ ms/);
    found(result, "ok", /this machine's clock and KMS's differ by 0 s or less/);
    found(
      result,
      "warning",
      /keys of other servers will be stale within 3 days: alias\/SPIRE_SERVER\/example_org\/quiet\/x509-CA-A/,
    );
    found(
      result,
      "warning",
      /built-in aws_kms would take alias\/SPIRE_SERVER\/example_org\/own-2\/x509-CA-A for this server's/,
    );
    assert.equal(desk.state(), before, "nothing is changed in KMS");
    assert.deepEqual(await desk.files(), files, "nor on the disk");
  });

  it("prints findings with what is to be done, and a verdict", async () => {
    const { code, stdout } = await doctor("--config", "server.conf", "--quiet");
    assert.equal(code, 0);
    assert.match(
      settled(stdout, desk),
      /^permissions\n {2}unknown {2}kms:CreateKey cannot be tried.*\n {11}to do: compare/m,
    );
    assert.match(stdout, /^\d+ ok, 2 warnings, 0 problems, 4 unknown: SPIRE Server would start$/m);
  });

  it("starts the plugin through its handshake, and lets it validate", async () => {
    const result = await doctor("--config", "server.conf", "--spire-bin", "--json");
    assert.equal(result.code, 0, result.stdout);
    found(result, "ok", /starts: handshake after \d+ ms, and it serves/);
    found(result, "ok", /the plugin finds the configuration valid/);
    const broken = await doctor("--config", "server.conf", "--spire-bin", "/bin/false", "--json");
    assert.equal(broken.code, 1);
    found(broken, "problem", /\/bin\/false does not start as SPIRE Server starts it/);
  });

  it("lets a spire-server validate, too", async () => {
    const path = await desk.write(
      "spire-server",
      '#!/bin/sh\necho "SPIRE server configuration file is not valid: $*" >&2\nexit 1\n',
      0o755,
    );
    const result = await doctor("--config", "server.conf", "--spire-bin", path, "--json");
    assert.equal(result.code, 1);
    found(result, "problem", /spire-server validate refuses the configuration: .*validate -config .*server\.conf/);
    found(result, "ok", /starts: handshake/);
  });

  const fatal: Readonly<Partial<Record<Permission, boolean>>> = {
    "kms:ListAliases": true,
    "kms:ListKeys": false,
    "kms:DescribeKey": true,
    "kms:GetPublicKey": true,
    "kms:Sign": true,
    "kms:GetKeyLastUsage": false,
    "kms:ScheduleKeyDeletion": false,
  };
  for (const [permission, fails] of Object.entries(fatal)) {
    it(`says that ${permission} is missing, and goes on`, async () => {
      const env = { AWS_ACCESS_KEY_ID: keyWithout(permission as Permission) };
      const result = await desk.run(["doctor", "--config", "server.conf", "--json"], { env });
      assert.equal(result.code, fails ? 1 : 0, result.stdout);
      const { finding } = found(result, fails ? "problem" : "warning", new RegExp(`^${permission} is missing: `));
      assert.match(finding, /is not authorized to perform/);
      found(result, "ok", /answers in/);
      found(result, "unknown", /kms:CreateKey/);
    });
  }

  it("cannot tell of key policies without kms:GetKeyPolicy, which is no failure", async () => {
    const env = { AWS_ACCESS_KEY_ID: keyWithout("kms:GetKeyPolicy") };
    const result = await desk.run(["doctor", "--config", "server.conf", "--json"], { env });
    assert.equal(result.code, 0);
    assert.equal(
      found(result, "unknown", /key policy of this server's keys can lock everyone out cannot be told/).permission,
      "kms:GetKeyPolicy",
    );
  });

  it("tells in tag mode what tag mode needs", async () => {
    await desk.write("tags.conf", conf(`${usual} enable_tag_based_key_discovery = true`));
    found(await doctor("--config", "tags.conf", "--json"), "ok", /tag:GetResources is allowed/);
    const env = { AWS_ACCESS_KEY_ID: keyWithout("tag:GetResources") };
    const result = await desk.run(["doctor", "--config", "tags.conf", "--json"], { env });
    assert.equal(result.code, 1);
    found(result, "problem", /tag:GetResources is missing: a start fails in tag mode/);
  });

  interface Case {
    readonly title: string;
    readonly conf: string;
    readonly level: Finding["level"];
    readonly says: RegExp;
    readonly env?: Readonly<Record<string, string>>;
  }
  const cases: readonly Case[] = [
    {
      title: "a checksum that is another file's",
      conf: conf(usual, `plugin_cmd = "${pluginCommand}" plugin_checksum = "${"0".repeat(64)}"`),
      level: "problem",
      says: /plugin_checksum is not the file's/,
    },
    {
      title: "a checksum that is none",
      conf: conf(usual, `plugin_cmd = "${pluginCommand}" plugin_checksum = "sha256:abc"`),
      level: "problem",
      says: /no SHA-256 of 64 hexadecimal digits/,
    },
    {
      title: "no checksum",
      conf: conf(usual, `plugin_cmd = "${pluginCommand}"`),
      level: "warning",
      says: /plugin_checksum is not set/,
    },
    {
      title: "a plugin that is not there",
      conf: conf(usual, `plugin_cmd = "/nowhere/aws_kms"`),
      level: "problem",
      says: /plugin_cmd \/nowhere\/aws_kms cannot be found: ENOENT/,
    },
    {
      title: "the built-in plugin",
      conf: conf(usual, ""),
      level: "warning",
      says: /SPIRE Server runs its built-in aws_kms/,
    },
    {
      title: "a kms plugin that SPIRE does not have",
      conf: conf(`region = "${region}"`, "", "kms"),
      level: "problem",
      says: /no built-in KeyManager "kms"/,
    },
    {
      title: "a setting that is wrong",
      conf: conf(`${usual} pending_window_in_days = 3`),
      level: "problem",
      says: /^pending_window_in_days: must be a whole number from 7 to 30/,
    },
    {
      title: "a server without identity",
      conf: conf(`region = "${region}"`),
      level: "problem",
      says: /^key_identifier_file: configuration requires server id/,
    },
    {
      title: "an identifier file that is new",
      conf: conf(`region = "${region}" key_identifier_file = "./new-id"`),
      level: "warning",
      says: /\.\/new-id is not there: the next start makes a new server id/,
    },
    {
      title: "an identifier file in no folder",
      conf: conf(`region = "${region}" key_identifier_file = "./no/folder/id"`),
      level: "problem",
      says: /there is no folder/,
    },
    {
      title: "an identifier file with nonsense",
      conf: conf(`region = "${region}" key_identifier_file = "./server.conf"`),
      level: "problem",
      says: /holds no UUID|at most 1024/,
    },
    {
      title: "a key policy that is no JSON",
      conf: conf(`${usual} key_policy_file = "./server.conf"`),
      level: "problem",
      says: /key_policy_file .* is not valid JSON/,
    },
    {
      title: "AWS keys that others can read",
      conf: conf(`${usual} access_key_id = "AKIAMAYDOEVERYTHING" secret_access_key = "x"`),
      level: "warning",
      says: /holds AWS keys and can be read by others \(mode 0644\)/,
    },
    {
      title: "an alias that is too long",
      conf: conf(`region = "${region}" key_identifier_value = "${"a".repeat(230)}"`),
      level: "problem",
      says: /makes an alias of \d+ characters/,
    },
    {
      title: "credentials that AWS does not know",
      conf: conf(usual),
      env: { AWS_ACCESS_KEY_ID: "AKIAUNKNOWN" },
      level: "problem",
      says: /does not accept the credentials|STS does not tell who the server is/,
    },
    {
      title: "an endpoint that is not there",
      conf: conf(`${usual} endpoint = "http://127.0.0.1:9"`),
      level: "problem",
      says: /cannot be reached/,
    },
    {
      title: "no KeyManager",
      conf: `server { trust_domain = "${trustDomain}" }\nplugins {}`,
      level: "problem",
      says: /there is no KeyManager block/,
    },
    {
      title: "no trust domain",
      conf: `plugins { KeyManager "aws_kms" { plugin_data { ${usual} } } }`,
      level: "problem",
      says: /trust_domain: it is missing/,
    },
    { title: "text that is no HCL", conf: "plugins {", level: "problem", says: /unable to decode configuration/ },
  ];
  for (const [index, { title, conf: text, level, says, env }] of cases.entries()) {
    it(`finds ${title}`, async () => {
      const path = await desk.write(`case-${index}.conf`, text);
      chmodSync(path, 0o644);
      const result = await desk.run(["doctor", "--config", path, "--json"], { ...(env ? { env } : {}) });
      assert.equal(result.code, level === "problem" ? 1 : 0, result.stdout);
      found(result, level, says);
    });
  }

  it("tells the clock, the look-alikes, and keys that were not refreshed", async () => {
    const twin = await desk.key({ Description: "SPIRE_SERVER/example_org" });
    await desk.call("CreateAlias", { AliasName: "alias/SPIRE_SERVER/example_org/twin/x509-CA-A", TargetKeyId: twin });
    const longer = await desk.key({ Description: "SPIRE_SERVER/example.organization" });
    await desk.call("CreateAlias", {
      AliasName: "alias/SPIRE_SERVER/example_organization/s/x509-CA-A",
      TargetKeyId: longer,
    });
    desk.pass(4);
    const result = await doctor("--config", "server.conf", "--json");
    found(result, "warning", /^trust domain example_org is written like example\.org in aliases/);
    found(result, "warning", /^example_organization begins like example_org/);
    found(
      result,
      "warning",
      /^1 keys of this server have not been refreshed for up to 96 h; other servers schedule them for deletion in 9 days/,
    );
    found(result, "problem", /this machine's clock and KMS's differ by 345\d{3} s: AWS refuses/);
    assert.equal(result.code, 1);
  });

  it("takes its own wrong arguments for no finding", async () => {
    for (const args of [[], ["--config", "nowhere.conf"], ["--config", "server.conf", "--region", "nowhere!"]]) {
      const { code, stdout } = await doctor(...args);
      assert.deepEqual([code, stdout], [2, ""]);
    }
  });
});
