/** `spire-aws-kms policy` and `checksum`: what they print is what the plugin needs, and no secret is among it. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { before, describe, it } from "node:test";
import { readServerConf } from "../../src/cli/configuration/server-conf.ts";
import { HashAlgorithm } from "../../src/plugin-sdk/index.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { Stage } from "../plugin/harness/stage.ts";
import { account, region, trustDomain, useDesk } from "./desk.ts";

const role = `arn:aws:iam::${account}:role/spire-server`;
const conf = (data: string) =>
  `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "aws_kms" { plugin_cmd = "${pluginCommand}" plugin_args = ["-x"] plugin_data { region = "${region}" ${data} } } }\n`;

interface Policy {
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Action: string | readonly string[];
    readonly Resource: string | readonly string[];
    readonly Condition?: object;
    readonly Principal?: object;
  }[];
}

describe("spire-aws-kms policy", () => {
  const desk = useDesk();
  before(async () => {
    await desk.write("server.conf", conf(`key_identifier_value = "s1" key_tags { Component = "spire" }`));
    await desk.write("plain.conf", conf(`key_identifier_value = "s1"`));
    await desk.write("tags.conf", conf(`key_identifier_value = "s1" enable_tag_based_key_discovery = true`));
  });
  const policy = async (...args: readonly string[]): Promise<Policy> => {
    const { code, stdout, stderr } = await desk.run(["policy", ...args]);
    assert.equal(code, 0, stderr);
    return JSON.parse(stdout);
  };
  const actions = ({ Statement }: Policy) => new Set(Statement.flatMap(({ Action }) => Action));

  it("prints what this very configuration needs", async () => {
    const found = await policy("iam", "--config", "server.conf", "--role", role);
    assert.deepEqual(found, {
      Version: "2012-10-17",
      Statement: [
        {
          Sid: "FindKeys",
          Effect: "Allow",
          Action: ["kms:ListAliases", "kms:ListKeys"],
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": region } },
        },
        {
          Sid: "LookAtKeys",
          Effect: "Allow",
          Action: "kms:DescribeKey",
          Resource: `arn:aws:kms:${region}:${account}:key/*`,
        },
        {
          Sid: "MakeKeys",
          Effect: "Allow",
          Action: "kms:CreateKey",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": region, "aws:RequestTag/Component": "spire" } },
        },
        {
          Sid: "TagKeys",
          Effect: "Allow",
          Action: "kms:TagResource",
          Resource: "*",
          Condition: { StringEquals: { "aws:RequestedRegion": region } },
        },
        {
          Sid: "UseAndScheduleKeys",
          Effect: "Allow",
          Action: [
            "kms:CreateAlias",
            "kms:DeleteAlias",
            "kms:GetKeyLastUsage",
            "kms:GetPublicKey",
            "kms:ScheduleKeyDeletion",
            "kms:Sign",
            "kms:UpdateAlias",
          ],
          Resource: `arn:aws:kms:${region}:${account}:key/*`,
          Condition: { StringEquals: { "aws:ResourceTag/Component": "spire" } },
        },
        {
          Sid: "NameKeys",
          Effect: "Allow",
          Action: ["kms:CreateAlias", "kms:UpdateAlias"],
          Resource: `arn:aws:kms:${region}:${account}:alias/SPIRE_SERVER/example_org/s1/*`,
        },
        {
          Sid: "DeleteStaleAliases",
          Effect: "Allow",
          Action: "kms:DeleteAlias",
          Resource: `arn:aws:kms:${region}:${account}:alias/SPIRE_SERVER/example_org/*`,
        },
      ],
    });
    const plain = actions(await policy("iam", "--config", "plain.conf", "--role", role));
    assert.ok(!plain.has("kms:TagResource") && !plain.has("tag:GetResources") && plain.has("kms:ListKeys"));
    const tags = actions(await policy("iam", "--config", "tags.conf", "--role", role));
    assert.ok(tags.has("kms:TagResource") && tags.has("tag:GetResources") && !tags.has("kms:ListKeys"));
    const older = actions(await policy("iam", "--key-prefix", "SERVER_A/", "--region", region, "--role", role));
    assert.ok(!older.has("kms:DeleteAlias") && !older.has("kms:GetKeyLastUsage") && older.has("kms:Sign"));
  });

  for (const file of ["server.conf", "plain.conf", "tags.conf"]) {
    it(`is enough for the plugin's whole life with ${file}, key policy included`, async () => {
      const iam = await policy("iam", "--config", file, "--role", role);
      const key = await policy("key", "--config", file, "--role", role);
      const accessKeyId = "AKIASERVER";
      const server = { accessKeyId, arn: `arn:aws:sts::${account}:assumed-role/spire-server/s1`, policies: [iam] };
      const stage = new Stage({ emulator: { authorize: true, region, identities: [server], roles: [{ arn: role }] } });
      await stage.open();
      try {
        const keyPolicy = await desk.write(`${file}.policy.json`, JSON.stringify(key));
        const text = readFileSync(`${desk.folder}/${file}`, "utf8");
        const read = readServerConf(text);
        assert.ok("keyManager" in read);
        const data = /plugin_data \{(.*)\} \} \}/s.exec(text)?.[1] ?? "";
        const plugin = await stage.start({ env: { AWS_ACCESS_KEY_ID: accessKeyId } });
        await plugin.configureText(`${data}\nkey_policy_file = "${keyPolicy}"`, trustDomain);
        await plugin.generate("x509-CA-A");
        await plugin.generate("x509-CA-A");
        const { signature } = await plugin.keyManager.signData({
          keyId: "x509-CA-A",
          data: new Uint8Array(32),
          signerOpts: { case: "hashAlgorithm", value: HashAlgorithm.SHA256 },
        });
        assert.ok(signature.length > 60);
      } finally {
        await stage.close();
      }
    });
  }

  it("prints the same for Terraform", async () => {
    const { stdout } = await desk.run(["policy", "iam", "--config", "server.conf", "--role", role, "--terraform"]);
    assert.match(
      stdout,
      /^data "aws_iam_policy_document" "spire_server" \{\n {2}statement \{\n {4}sid {4}= "FindKeys"\n {4}effect = "Allow"\n {4}actions = \[\n {6}"kms:ListAliases",\n/,
    );
    assert.match(
      stdout,
      /\n {4}condition \{\n {6}test {5}= "StringEquals"\n {6}variable = "aws:ResourceTag\/Component"\n {6}values {3}= \["spire"\]\n {4}\}\n/,
    );
    const { stdout: json } = await desk.run(["policy", "key", "--config", "server.conf", "--role", role, "--json"]);
    const document = JSON.parse(json);
    assert.deepEqual([document.format, document.version, document.kind], ["spire-aws-kms/policy", 1, "key"]);
    assert.match(document.terraform, /principals \{\n {6}type {8}= "AWS"/);
  });

  it("takes the role from whom the credentials belong to, or leaves a place for it", async () => {
    const own = await desk.run(["policy", "iam", "--config", "plain.conf"]);
    assert.equal(own.code, 0);
    assert.match(own.stderr, /the server is taken to be arn:aws:sts::111122223333:assumed-role\/operator\//);
    assert.match(own.stdout, /"iam:GetRole"/);
    const away = await desk.run(["policy", "key", "--config", "plain.conf"], {
      env: { AWS_ENDPOINT_URL: "http://127.0.0.1:9" },
    });
    assert.equal(away.code, 4);
    assert.match(away.stdout, /arn:aws:iam::ACCOUNT_ID:role\/ROLE/);
    assert.equal((await desk.run(["policy", "iam", "--config", "plain.conf", "--role", "spire"])).code, 2);
    assert.equal((await desk.run(["policy", "iam"])).code, 2);
  });
});

describe("spire-aws-kms checksum", () => {
  const desk = useDesk();
  const checksum = createHash("sha256").update(readFileSync(pluginCommand)).digest("hex");

  it("prints the line, and the block of server.conf without its secrets", async () => {
    await desk.write(
      "server.conf",
      conf(
        `key_identifier_value = "s1" access_key_id = "AKIAXYZ" secret_access_key = "Geheim/123" key_tags { a = "1" } max_live_keys = 10`,
      ),
    );
    const { code, stdout } = await desk.run(["checksum", "--config", "server.conf"]);
    assert.equal(code, 0);
    assert.equal(stdout.split("\n")[0], `plugin_checksum = "${checksum}"`);
    assert.doesNotMatch(stdout, /Geheim|AKIAXYZ/);
    assert.match(stdout, /# and access_key_id, secret_access_key, as they are/);
    const block = stdout.slice(stdout.indexOf("KeyManager"));
    const read = readServerConf(`plugins {\n${block}\n}`);
    assert.ok("keyManager" in read);
    assert.deepEqual(
      [read.keyManager.name, read.keyManager.pluginCmd, read.keyManager.pluginChecksum, read.keyManager.pluginArgs],
      ["aws_kms", pluginCommand, checksum, ["-x"]],
    );
  });

  it("prints a sample block for a file, and tells where server.conf has another sum", async () => {
    const { stdout } = await desk.run(["checksum", pluginCommand]);
    assert.match(
      stdout,
      new RegExp(
        `KeyManager "aws_kms" \\{\n {4}plugin_cmd = "${pluginCommand}"\n {4}plugin_checksum = "${checksum}"\n {4}plugin_data \\{`,
      ),
    );
    await desk.write(
      "other.conf",
      `plugins { KeyManager "aws_kms" { plugin_cmd = "${pluginCommand}" plugin_checksum = "${"0".repeat(64)}" } }`,
    );
    const other = await desk.run(["checksum", "--config", "other.conf", "--json"]);
    assert.equal(JSON.parse(other.stdout).same, false);
    assert.match(other.stderr, /SPIRE Server would not start this file/);
  });

  it("refuses what is not there", async () => {
    const none = await desk.run(["checksum", "/nowhere/aws_kms"]);
    assert.equal(none.code, 2);
    assert.match(none.stderr, /plugin_cmd: \/nowhere\/aws_kms cannot be read: ENOENT/);
    await desk.write("builtin.conf", `plugins { KeyManager "aws_kms" { plugin_data {} } }`);
    const builtIn = await desk.run(["checksum", "--config", "builtin.conf"]);
    assert.equal(builtIn.code, 2);
    assert.match(builtIn.stderr, /SPIRE runs its built-in plugin/);
  });
});
