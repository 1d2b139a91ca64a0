import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { beforeEach, describe, it } from "node:test";
import { kmsCommand, kmsData } from "../kms/kms-command.ts";
import { foreignAlias, OriginalPlugin } from "../kms/original-plugin.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { credentials, useStage } from "../plugin/harness/stage.ts";
import { type CommandResult, isOperator, onStage, operator, runMigrate, startMigrate } from "./migrate-command.ts";

const trustDomain = ["--trust-domain", "example.org"] as const;

interface Report {
  readonly phase: string;
  readonly verified: boolean;
  readonly from: object;
  readonly to: object;
  readonly refresh_before?: string;
  readonly keys: readonly {
    readonly key_id: string;
    readonly stands: string;
    readonly old?: { readonly alias: string; readonly key_arn: string; readonly fingerprint?: string };
    readonly new?: { readonly alias: string; readonly key_arn?: string };
  }[];
  readonly steps: readonly { readonly step: string; readonly alias: string }[];
  readonly left_out: readonly { readonly alias: string; readonly reason: string }[];
  readonly refusals: readonly string[];
}

describe("spire-aws-kms migrate", () => {
  const may = ["ListAliases", "DescribeKey", "GetPublicKey", "CreateAlias", "UpdateAlias", "DeleteAlias"];
  const roleOf = (accessKeyId: string, operations: readonly string[]) => ({
    accessKeyId,
    arn: `arn:aws:sts::111122223333:assumed-role/${accessKeyId}/session`,
    policies: [
      {
        Version: "2012-10-17",
        Statement: [{ Effect: "Allow", Action: operations.map((name) => `kms:${name}`), Resource: "*" }],
      },
    ],
  });
  const stage = useStage({
    pluginCommand: kmsCommand,
    emulator: {
      authorize: true,
      identities: [
        roleOf(operator.accessKeyId, may),
        roleOf("AKIAMAYNOTDELETE", may.slice(0, -1)),
        { accessKeyId: credentials.accessKeyId, arn: "arn:aws:sts::111122223333:assumed-role/spire/server" },
      ],
    },
  });
  let nth = 0;
  /** A server of its own for each test. */
  let prefix: string;
  let from: readonly string[];
  let original: OriginalPlugin;

  beforeEach(async () => {
    nth += 1;
    prefix = `server-${nth}/`;
    from = ["--from-prefix", prefix, ...trustDomain];
    original = new OriginalPlugin(stage.kms, prefix);
    await original.generate("x509-CA-A");
  });

  const to = (id = `s${nth}`): readonly string[] => ["--to-server-id", id];
  const json = ({ stdout }: CommandResult) => JSON.parse(stdout) as Report;
  const newAlias = (keyId = "x509-CA-A") => `alias/SPIRE_SERVER/example_org/s${nth}/${keyId}`;

  it("shows a plan and changes nothing, then says what is to be done next, step by step", async () => {
    const before = stage.emulator.control.dump();
    const plan = await runMigrate(stage, ...from, ...to());
    assert.deepEqual(stage.emulator.control.dump(), before);
    assert.equal(plan.code, 0);
    const { arn } = await stage.kms.key(`alias/${prefix}x509-CA-A`);
    assert.equal(
      plan.stdout,
      [
        `x509-CA-A  ${arn}`,
        `  old  alias/${prefix}x509-CA-A  (stands)`,
        `  new  ${newAlias()}  (not there yet)`,
        "to be done:",
        `  add ${newAlias()} on ${arn}`,
        "",
      ].join("\n"),
    );
    assert.equal(plan.stderr, "hint: nothing was changed; --apply takes these steps, --back undoes them\n");

    const early = await runMigrate(stage, ...from, ...to(), "--finish");
    assert.equal(early.code, 3);
    assert.match(early.stderr, /key "x509-CA-A" is not yet found under its new name; apply the migration first/);

    const applied = await runMigrate(stage, ...from, ...to(), "--apply");
    assert.equal(applied.code, 0);
    assert.match(applied.stdout, new RegExp(`^added ${newAlias()} on ${arn}\n`));
    assert.match(applied.stdout, /^verified: aws_kms finds every key under its new name, with the same fingerprint$/m);
    assert.match(applied.stderr, /^warning: until \d{4}-\d\d-\d\dT.* aliases have to be refreshed/m);
    assert.match(
      applied.stderr,
      new RegExp(`^hint: stop SPIRE Server, run it with aws_kms and server id s${nth}`, "m"),
    );

    const finished = await runMigrate(stage, ...from, ...to(), "--finish");
    assert.equal(finished.code, 0);
    assert.match(finished.stdout, new RegExp(`^removed alias/${prefix}x509-CA-A\n`));
    assert.match(finished.stderr, /^warning: no server has refreshed the new aliases yet/m);

    const again = await runMigrate(stage, ...from, ...to(), "--finish");
    assert.equal(again.code, 0);
    assert.match(again.stderr, /^hint: the migration is finished$/m);
  });

  it("tells programs the same as one JSON object", async () => {
    const disabled = await original.generate("x509-CA-old");
    await stage.kms.call("DisableKey", { KeyId: disabled.arn });
    const plan = json(await runMigrate(stage, ...from, ...to(), "--json"));
    assert.equal(plan.phase, "plan");
    assert.deepEqual(plan.from, { plugin: "kms", key_prefix: prefix });
    assert.deepEqual(plan.to, { plugin: "aws_kms", trust_domain: "example.org", server_id: `s${nth}` });
    assert.deepEqual(
      plan.keys.map(({ key_id, stands }) => [key_id, stands]),
      [
        ["x509-CA-A", "old"],
        ["x509-CA-old", "unusable"],
      ],
    );
    assert.equal(plan.keys[0]?.old?.fingerprint, original.fingerprints.get("x509-CA-A"));
    assert.deepEqual(
      plan.steps.map(({ step, alias }) => [step, alias]),
      [["add", newAlias()]],
    );
    const applied = json(await runMigrate(stage, ...from, ...to(), "--apply", "--json"));
    assert.deepEqual([applied.phase, applied.verified], ["apply", true]);
    assert.equal(applied.keys[0]?.stands, "both");
    assert.ok(Date.parse(applied.refresh_before ?? "") > Date.now() + 13 * 86_400_000);
  });

  it("follows rotations under the old names, as long as apply is run again", async () => {
    await runMigrate(stage, ...from, ...to(), "--apply");
    const plugin = await stage.start();
    await plugin.configureText(kmsData({ key_prefix: prefix }));
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    const { fingerprint } = await plugin.generate("x509-CA-A");
    await scheduled;
    await plugin.stop();
    const early = await runMigrate(stage, ...from, ...to(), "--finish");
    assert.equal(early.code, 3);
    assert.match(early.stdout, /\(stands on the replaced key\)/);
    const again = await runMigrate(stage, ...from, ...to(), "--apply");
    assert.equal(again.code, 0);
    assert.match(again.stdout, new RegExp(`^moved ${newAlias()} on `));
    assert.equal((await stage.kms.key(newAlias())).fingerprint, fingerprint);
    assert.equal((await runMigrate(stage, ...from, ...to(), "--finish")).code, 0);
  });

  it("takes a running server with aws_kms from one id to another, by its identifier file", async () => {
    const file = join(stage.folder, `id-${nth}`);
    await writeFile(file, "0f7c29e4-6c2d-4a5c-9d2e-1f1f8f6f3b10");
    const first = await stage.start({ command: pluginCommand });
    await first.configure({ key_identifier_value: `old-${nth}` });
    const { fingerprint } = await first.generate("bundle-acme-example.org+rsa");
    const flags = ["--from-server-id", `old-${nth}`, ...trustDomain, "--to-identifier-file", file];
    // The default key policy lets the server's role alone change aliases.
    const denied = await runMigrate(stage, ...flags, "--apply");
    assert.equal(denied.code, 1);
    assert.match(
      denied.stderr,
      /allow kms:CreateAlias for this identity in its IAM policy and, for a key, in the key's/,
    );
    const asServer = { AWS_ACCESS_KEY_ID: credentials.accessKeyId };
    const run = (...args: string[]) => startMigrate(stage, [...flags, ...args, ...onStage(stage)], asServer).result;
    assert.equal((await run("--apply")).code, 0);
    await first.stop();
    const second = await stage.start({ command: pluginCommand });
    await second.configure({ key_identifier_value: undefined, key_identifier_file: file });
    assert.deepEqual(await second.fingerprints(), new Map([["bundle-acme-example.org+rsa", fingerprint]]));
    const finished = json(await run("--finish", "--json"));
    assert.deepEqual(
      finished.steps.map(({ step, alias }) => [step, alias]),
      [["remove", `alias/SPIRE_SERVER/example_org/old-${nth}/bundle-acme-example_2eorg_2brsa`]],
    );
  });

  it("refuses names that another server has, and changes nothing for any key", async () => {
    await original.generate("JWT-Signer-A");
    await foreignAlias(stage.kms, newAlias(), "SPIRE_SERVER/example.org");
    const { code, stderr, stdout } = await runMigrate(stage, ...from, ...to(), "--apply");
    assert.equal(code, 3);
    assert.match(stderr, /stands on another key .* another server has that name, give this one another id/);
    assert.doesNotMatch(stdout, /^added/m);
    await assert.rejects(stage.kms.key(newAlias("JWT-Signer-A")), /is not found/);
  });

  it("stops at an alias that is taken while it works", async () => {
    const stranger = await new OriginalPlugin(stage.kms, `stranger-${nth}/`).generate("x509-CA-A");
    const pause = stage.emulator.control.pause({ operation: "CreateAlias", when: "before", match: isOperator });
    const command = startMigrate(stage, [...from, ...to(), "--apply", ...onStage(stage)]);
    await pause.reached;
    await stage.kms.call("CreateAlias", { AliasName: newAlias(), TargetKeyId: stranger.arn });
    pause.release();
    const { code, stderr } = await command.result;
    assert.equal(code, 3);
    assert.match(stderr, /stands on another key by now/);
    assert.match(stderr, /^hint: what was done stays done; run the same command again/m);
  });

  it("leaves out what it cannot tell apart, and says so", async () => {
    const one = new OriginalPlugin(stage.kms, `node${nth}-1`);
    const ten = new OriginalPlugin(stage.kms, `node${nth}-10`);
    await one.generate("x509-CA-A");
    await ten.generate("x509-CA-A");
    await ten.generate("some-key");
    const flags = ["--from-prefix", `node${nth}-1`, ...trustDomain, ...to()];
    const { keys, left_out } = json(await runMigrate(stage, ...flags, "--json"));
    assert.deepEqual(
      keys.map(({ key_id }) => key_id),
      ["x509-CA-A"],
    );
    assert.deepEqual(
      left_out.map(({ alias }) => alias),
      [`alias/node${nth}-10some-key`],
    );
  });

  it("needs six permissions, and tells which one is missing", async () => {
    await runMigrate(stage, ...from, ...to(), "--apply");
    const env = { AWS_ACCESS_KEY_ID: "AKIAMAYNOTDELETE" };
    const { code, stderr } = await startMigrate(stage, [...from, ...to(), "--finish", ...onStage(stage)], env).result;
    assert.equal(code, 1);
    assert.match(stderr, /failed to remove alias .*: DeleteAlias: AccessDeniedException: .*; allow kms:DeleteAlias/);
    assert.doesNotMatch(stderr, /NodeVersionSupportWarning|^\s+at /m, "no stack, no advice of the SDK");
  });

  const wrong: ReadonlyArray<readonly [title: string, args: readonly string[], ...messages: RegExp[]]> = [
    [
      "nothing at all",
      [],
      /one of --from-prefix and --from-server-id is needed/,
      /one of --to-server-id and --to-identifier-file is needed/,
      /--trust-domain is needed/,
      /--region is needed, or AWS_REGION/,
    ],
    [
      "values that cannot be",
      ["--from-prefix", "a.b/", "--to-server-id", "s/", "--trust-domain", "Example.org", "--region", "us-east-2a"],
      /--from-prefix: is "a\.b\/"; it must contain only/,
      /--trust-domain: is "Example\.org"; only lower-case/,
      /--region: is "us-east-2a"/,
    ],
    [
      "flags that exclude each other",
      ["--from-prefix", "a/", "--from-server-id", "b", "--to-server-id", "c", "--apply", "--finish"],
      /only one of --from-prefix and --from-server-id/,
      /only one of --apply, --finish and --back/,
    ],
    [
      "the same names twice",
      ["--from-server-id", "a/", "--to-server-id", "a", ...trustDomain, "--region", "us-east-2"],
      /the old and the new names are the same/,
    ],
    [
      "the same names in another guise",
      ["--from-prefix", "SPIRE_SERVER/example_org/a/", "--to-server-id", "a", ...trustDomain, "--region", "us-east-2"],
      /the old and the new names are the same/,
    ],
    [
      "a file that is not there",
      ["--from-prefix", "a/", "--to-identifier-file", "none", ...trustDomain, "--region", "us-east-2"],
      /--to-identifier-file: there is no file none; make it as the SPIRE Server's user: uuidgen > none/,
    ],
    [
      "a server id without room for a key id",
      ["--from-prefix", "a/", "--to-server-id", "s".repeat(250), ...trustDomain, "--region", "us-east-2"],
      /key id "x509-CA-A" makes an alias of 29\d characters/,
    ],
    ["an unknown flag", ["--from-prefx", "a/"], /unknown option '--from-prefx'\n\(Did you mean --from-prefix\?\)/],
    ["credentials on the command line", ["--access-key-id", "AKIA"], /unknown option '--access-key-id'/],
  ];
  for (const [title, args, ...messages] of wrong) {
    it(`exits 2 for ${title}`, async () => {
      const { code, stdout, stderr } = await startMigrate(stage, args).result;
      assert.equal(code, 2);
      assert.equal(stdout, "");
      for (const message of messages) assert.match(stderr, message);
    });
  }

  it("exits 1 when KMS cannot be reached, and 3 when nothing is found", async () => {
    const dead = ["--region", "us-east-2", "--endpoint", "http://127.0.0.1:9"];
    const unreachable = await startMigrate(stage, [...from, ...to(), ...dead]).result;
    assert.equal(unreachable.code, 1);
    assert.match(unreachable.stderr, /failed to find out which keys there are: ListAliases: ECONNREFUSED/);
    const nothing = await runMigrate(stage, "--from-prefix", "unknown/", ...trustDomain, "--to-server-id", "unknown");
    assert.equal(nothing.code, 3);
    assert.match(
      nothing.stderr,
      /no key is found under the old names, nor under the new ones; check the names and the Region/,
    );
  });

  it("explains itself", async () => {
    const { code, stdout } = await startMigrate(stage, ["--help"]).result;
    assert.equal(code, 0);
    for (const flag of ["--from-prefix", "--to-identifier-file", "--finish", "Exit codes: 0 done"]) {
      assert.ok(stdout.includes(flag), flag);
    }
  });
});
