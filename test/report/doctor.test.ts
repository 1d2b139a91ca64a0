/** What the report shows of doctor: with server.conf all that it finds, without one what the keys tell and what was not looked at. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { keyWithout, type Permission, type Run, region, trustDomain, useDesk } from "../operations/desk.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";

interface Finding {
  readonly check: string;
  readonly level: string;
  readonly finding: string;
  readonly remedy?: string;
  readonly permission?: string;
}

interface Document {
  readonly regions: readonly string[];
  readonly summary: { readonly keys: number };
  readonly doctor?: {
    readonly findings: readonly Finding[];
    readonly not_looked_at: readonly { readonly what: string; readonly how: string }[];
  };
  readonly aws_calls: { readonly by_operation: Readonly<Record<string, number>> };
}

const checksum = createHash("sha256").update(readFileSync(pluginCommand)).digest("hex");
const escapes: Readonly<Record<string, string>> = {
  "&amp;": "&",
  "&lt;": "<",
  "&gt;": ">",
  "&quot;": '"',
  "&#39;": "'",
};
const textOf = (page: string): string =>
  page
    .slice(page.indexOf("<body>"))
    .replace(/<[^>]*>/g, " ")
    .replace(/&(?:amp|lt|gt|quot|#39);/g, (entity) => escapes[entity] ?? entity)
    .replace(/\s+/g, " ");

describe("doctor in the report", () => {
  const desk = useDesk({ daysAgo: 20 });
  const conf = (data: string, block: string, name = "aws_kms") =>
    `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "${name}" { ${block} plugin_data { region = "${region}" ${data} } } }\n`;
  const block = `plugin_cmd = "${pluginCommand}" plugin_checksum = "${checksum}"`;

  before(async () => {
    const own = await desk.serverKey("own", "x509-CA-A");
    desk.today();
    await desk.refresh("own", "x509-CA-A", own);
    await desk.serverKey("tokyo", "x509-CA-A", {}, { region: "ap-northeast-1" });
    const older = await desk.key({ Description: "" });
    await desk.call("CreateAlias", { AliasName: "alias/SPIRE_SERVER_KEY/x509-CA-A", TargetKeyId: older });
    await desk.write("server.conf", conf(`key_identifier_value = "own"`, block));
    await desk.write("wrong.conf", conf(`key_identifier_value = "own"`, `plugin_cmd = "/nowhere/aws_kms"`));
    await desk.write("kms.conf", conf("", `plugin_cmd = "${pluginCommand.replace(/aws_kms$/, "kms")}"`, "kms"));
  });

  const page = () => textOf(readFileSync(join(desk.folder, "page.html"), "utf8"));
  const report = (args: readonly string[], env = {}) =>
    desk.run(["report", "--html", "page.html", "--json", ...args], { env });
  const document = ({ stdout }: Run): Document => JSON.parse(stdout);

  it("shows every finding that doctor itself has, with its level and its remedy", async () => {
    const state = desk.state();
    const result = await report(["--config", "server.conf"]);
    assert.equal(result.code, 0, result.stderr);
    const alone = await desk.run(["doctor", "--config", "server.conf", "--json"]);
    const { doctor } = document(result);
    const words = ({ findings }: { readonly findings: readonly Finding[] }) =>
      findings.map(({ level, finding }) => `${level} ${finding.replace(/in \d+ ms/, "")}`);
    assert.ok(doctor);
    assert.deepEqual(words(doctor), words(JSON.parse(alone.stdout)));
    const text = page();
    for (const { finding, remedy } of doctor.findings) {
      assert.ok(text.includes(finding), finding);
      assert.ok(remedy === undefined || text.includes(remedy), remedy);
    }
    assert.match(text, /What doctor found SPIRE Server would start: 0 problems, 0 warnings, 4 unknown, \d\d ok\./);
    assert.match(text, /Unknown, permissions: kms:CreateKey cannot be tried/);
    assert.match(text, /Not looked at: whether the plugin starts and shakes hands/);
    assert.match(text, /All is well/);
    assert.equal(desk.state(), state, "nothing is changed");
  });

  it("looks at the keys once for both", async () => {
    const { aws_calls } = document(await report(["--config", "server.conf"]));
    const { ListAliases, ListKeys } = aws_calls.by_operation;
    assert.deepEqual([ListAliases, ListKeys], [1, 1]);
  });

  it("turns red for what would make SPIRE Server fail, and keeps its exit code", async () => {
    const result = await report(["--config", "wrong.conf"]);
    assert.equal(result.code, 0, result.stderr);
    assert.match(page(), /SPIRE Server would fail: 1 problem/);
    assert.match(page(), /Problem, plugin file: plugin_cmd \/nowhere\/aws_kms cannot be found: ENOENT To do: install/);
    assert.doesNotMatch(page(), /All is well/);
  });

  for (const permission of [
    "kms:Sign",
    "kms:GetPublicKey",
    "kms:ScheduleKeyDeletion",
  ] as const satisfies Permission[]) {
    it(`names ${permission} where it is missing, and goes on with the rest`, async () => {
      const env = { AWS_ACCESS_KEY_ID: keyWithout(permission) };
      const result = await report(["--config", "server.conf"], env);
      assert.equal(result.code, 0, result.stderr);
      const missing = document(result).doctor?.findings.filter(({ finding }) => / is missing: /.test(finding));
      assert.deepEqual(
        missing?.map((finding) => finding.permission),
        [permission],
      );
      assert.match(page(), new RegExp(`permissions: ${permission} is missing: .*To do: allow ${permission}`));
    });
  }

  it("says without server.conf what it could not look at, and still what the keys tell", async () => {
    const result = await report(["--trust-domain", trustDomain, "--region", region]);
    assert.equal(result.code, 0, result.stderr);
    const { doctor, aws_calls } = document(result);
    assert.deepEqual(
      [...new Set(doctor?.findings.map(({ check }) => check))],
      ["clock", "quotas", "trust domains", "built-in plugin"],
    );
    assert.deepEqual(Object.keys(aws_calls.by_operation).toSorted(), ["DescribeKey", "ListAliases", "ListKeys"]);
    assert.match(
      page(),
      /Not looked at: configuration, plugin file and checksum, identifier file, credentials, permissions and key policies\. --config server\.conf tells them/,
    );
    assert.doesNotMatch(page(), /SPIRE Server would/);
  });

  it("leaves it out when told so", async () => {
    const { doctor } = document(await report(["--config", "server.conf", "--no-doctor"]));
    assert.equal(doctor, undefined);
    assert.match(page(), /What doctor found It was not asked \(\s*--no-doctor\s*\)/);
  });

  it("is of the configured Region, whichever Regions the page shows", async () => {
    const all = await report(["--config", "server.conf", "--all-regions", "--rate", "2000"]);
    assert.equal(all.code, 0, all.stderr);
    assert.ok(document(all).regions.length > 20);
    assert.equal(document(all).summary.keys, 2);
    assert.match(page(), /tokyo .*ap-northeast-1/);
    assert.equal(document(all).doctor?.findings.filter(({ check }) => check === "clock").length, 1);
    const other = await report(["--config", "server.conf", "--regions", "ap-northeast-1"]);
    assert.deepEqual(document(other).regions, ["ap-northeast-1"]);
    assert.ok(document(other).doctor?.findings.some(({ finding }) => /AWS KMS in us-east-2 answers/.test(finding)));
    const flags = await report(["--trust-domain", trustDomain, "--region", region, "--regions", "ap-northeast-1"]);
    assert.deepEqual(document(flags).doctor?.findings, []);
    assert.match(page(), /the keys of the configured Region\. leave --regions out/);
  });

  it("tells of the older kms plugin, by server.conf and by flags", async () => {
    const result = await report(["--config", "kms.conf"]);
    assert.equal(result.code, 0, result.stderr);
    assert.equal(document(result).summary.keys, 1);
    const { doctor } = document(result);
    assert.ok(doctor?.findings.some(({ finding }) => /kms\.conf: kms of trust domain example\.org/.test(finding)));
    assert.ok(
      doctor?.findings.some(({ finding }) => finding === "kms:Sign is allowed (on a key of this server, DryRun)"),
    );
    assert.match(page(), /Keys of SPIRE_SERVER_KEY\//);
    const flags = await report(["--key-prefix", "SPIRE_SERVER_KEY/", "--region", region]);
    assert.equal(flags.code, 0, flags.stderr);
    assert.equal(document(flags).summary.keys, 1);
  });

  it("writes its files where it is called, whatever --chdir says of SPIRE Server's", async () => {
    await desk.write("elsewhere/note", "");
    const result = await desk.run([
      "report",
      "--config",
      "server.conf",
      "--chdir",
      "elsewhere",
      "--html",
      "here.html",
      "--history",
      "here.json",
    ]);
    assert.equal(result.code, 0, result.stderr);
    const files = await desk.files();
    assert.ok(files.includes("here.html") && files.includes("here.json") && !files.includes("elsewhere/here.html"));
  });
});
