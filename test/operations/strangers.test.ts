/** Commands in strange hands: text that steers a terminal, output that cannot be written, credentials that have expired, files that are none. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { hasTerminals, onTerminal } from "../cli/pseudo-terminal.ts";
import { aliasOf, keyWithout, type Permission, type Run, region, settled, trustDomain, useDesk } from "./desk.ts";

const cli = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));
/** Colours, a title, a C1 control, right to left, markup, a line of its own. */
const hostile = "\u001b[31mRED\u001b]0;title\u0007\u009b31m\u202eevil<script>alert(1)</script>\r\nkey  Enabled";
// biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
const steering = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/;

describe("commands in strange hands", () => {
  const desk = useDesk({ daysAgo: 20 });
  const flags = ["--trust-domain", trustDomain, "--region", region];
  const conf = ["--config", "server.conf"];
  let pending: string;
  before(async () => {
    const named = await desk.key({ Description: hostile });
    await desk.call("CreateAlias", { AliasName: aliasOf("hostile", "x509-CA-A"), TargetKeyId: named });
    await desk.key({ Description: `SPIRE_SERVER/${trustDomain}${hostile}`, Tags: [{ TagKey: "a", TagValue: "b" }] });
    desk.today();
    await desk.serverKey("own", "x509-CA-A");
    pending = await desk.key();
    await desk.call("ScheduleKeyDeletion", { KeyId: pending, PendingWindowInDays: 7 });
    await desk.write(
      "server.conf",
      `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "aws_kms" { plugin_data { region = "${region}" key_identifier_value = "own" } } }\n`,
    );
  });
  afterEach(() => desk.emulator.control.clearFaults());

  /** Commands that ask AWS and change nothing. */
  const commands = (): readonly (readonly string[])[] => [
    ["keys", ...flags],
    ["keys", ...flags, "--foreign", "--wide", "--nameless", "all"],
    ["keys", ...flags, "--foreign", "--json"],
    ["doctor", ...conf],
    ["doctor", ...conf, "--json"],
    ["prune", ...conf, "--dry-run"],
    ["prune", ...conf, "--dry-run", "--json"],
    ["report", ...conf, "--html", "page.html", "--json"],
    ["report", ...conf, "--html", "-"],
    ["cancel-deletion", ...conf, pending, "--dry-run"],
    ["policy", "iam", ...conf],
    ["bench", ...conf, "--yes", "--count", "2", "--json"],
    ["promote", ...conf, "--json"],
    ["migrate", "--from-server-id", "own", "--trust-domain", trustDomain, "--to-server-id", "new", "--region", region],
  ];
  const run = (args: readonly string[], env = {}) => desk.run(args, { env });
  const said = ({ stdout, stderr }: Run) => stdout + stderr;

  it("never let text from KMS steer a terminal or become markup", async () => {
    for (const args of commands()) {
      const result = await run(args);
      assert.doesNotMatch(said(result), steering, args.join(" "));
      if (args[0] === "report") assert.doesNotMatch(result.stdout, /<script/);
    }
    assert.doesNotMatch(readFileSync(join(desk.folder, "page.html"), "utf8"), /<script/);
    const [row] = JSON.parse(
      (await run(["keys", ...flags, "--foreign", "--json", "--filter", "server=hostile"])).stdout,
    ).keys;
    assert.equal(row.description, hostile, "programs get it as it is");
  });

  it("nor text of errors, nor what was typed", async () => {
    for (const args of commands()) {
      desk.emulator.control.addFault({ kind: "error", name: "AccessDeniedException", message: hostile });
      const result = await run(args);
      desk.emulator.control.clearFaults();
      assert.doesNotMatch(said(result), steering, args.join(" "));
    }
    const typed = "\u001b[31m";
    for (const args of [
      [typed],
      ["keys", `--${typed}`],
      ["keys", ...flags, "--nameless", typed],
      ["keys", ...flags, "--regions", typed],
      ["keys", "--config", typed],
      ["keys", "--trust-domain", typed, "--region", region],
      ["completion", typed],
      ["cancel-deletion", ...conf, typed],
      ["report", ...flags, "--html", `${typed}/x`],
    ]) {
      const result = await run(args);
      assert.ok(result.code === 2 || (args[0] === "cancel-deletion" && result.code === 1), `${args}: ${result.code}`);
      assert.doesNotMatch(said(result), steering, args.join(" "));
    }
  });

  it("say that credentials have expired, and how to go on", async () => {
    for (const args of commands()) {
      desk.emulator.control.addFault({
        kind: "error",
        name: "ExpiredTokenException",
        message: "The security token included in the request is expired",
      });
      const result = await run(args);
      desk.emulator.control.clearFaults();
      assert.equal(result.code, args[0] === "policy" ? 4 : 1, `${args}: ${said(result)}`);
      assert.match(
        said(result),
        /ExpiredTokenException: .* is expired.*; the credentials have expired: renew the session token, or use a role/,
        args.join(" "),
      );
    }
  });

  interface Needs {
    readonly args: () => readonly string[];
    readonly permissions: readonly Permission[];
    readonly code: number;
  }
  const needs: readonly Needs[] = [
    {
      args: () => ["bench", ...conf, "--yes", "--count", "2"],
      permissions: ["kms:ListAliases", "kms:DescribeKey", "kms:Sign"],
      code: 1,
    },
    {
      args: () => [
        "migrate",
        "--from-server-id",
        "own",
        "--trust-domain",
        trustDomain,
        "--to-server-id",
        "new",
        "--region",
        region,
      ],
      permissions: ["kms:ListAliases", "kms:DescribeKey"],
      code: 1,
    },
  ];
  for (const { args, permissions, code } of needs) {
    for (const permission of permissions) {
      it(`${args()[0]} names ${permission} when it is missing`, async () => {
        const result = await run(args(), { AWS_ACCESS_KEY_ID: keyWithout(permission) });
        assert.equal(result.code, code, said(result));
        assert.match(said(result), new RegExp(`allow ${permission} for this identity`));
      });
    }
  }

  interface Refused {
    readonly args: readonly string[];
    readonly says: RegExp;
    readonly env?: Readonly<Record<string, string>>;
  }
  const refused: readonly Refused[] = [
    { args: [], says: /^Usage: spire-aws-kms/ },
    { args: ["kesy"], says: /^error: unknown command 'kesy'\n\(Did you mean keys\?\)$/m },
    { args: ["policy", "bogus"], says: /^error: unknown command 'bogus'/ },
    { args: ["demo", "--bogus"], says: /^error: unknown option '--bogus'/ },
    { args: ["emulator", "--listen", "nonsense"], says: /'nonsense' is invalid\. expected HOST:PORT/ },
    { args: ["keys", "one", "two"], says: /too many arguments for 'keys'/ },
    {
      args: ["keys", ...flags, "--regions", "us-east-2a"],
      says: /--regions: "us-east-2a" is no code of an AWS Region/,
    },
    { args: ["report", ...flags, "--html", "-", "--regions", ","], says: /--regions: "," is no code of an AWS Region/ },
    {
      args: ["keys", ...flags],
      env: { AWS_ENDPOINT_URL: "nonsense" },
      says: /AWS_ENDPOINT_URL: it is no http:\/\/ or https:\/\/ URL/,
    },
    {
      args: ["keys", "--config", "/dev/zero"],
      says: /--config: \/dev\/zero has more than 8 MB, so it is no server\.conf/,
    },
    {
      args: ["keys", "--config", "missing-data.conf"],
      says: /plugin_data_file missing\.hcl cannot be read: there is no such file/,
    },
    {
      args: ["keys", "--config", "folder-data.conf"],
      says: /plugin_data_file .* cannot be read: EISDIR, it is a folder/,
    },
    { args: ["keys", "--config", "server.yaml"], says: /SPIRE Server reads HCL or JSON, and no YAML/ },
  ];
  before(async () => {
    for (const [name, file] of [
      ["missing-data", "missing.hcl"],
      ["folder-data", "."],
    ] as const)
      await desk.write(
        `${name}.conf`,
        `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "aws_kms" { plugin_data_file = "${file}" } }\n`,
      );
    await desk.write("server.yaml", `server:\n  trust_domain: ${trustDomain}\n`);
    await desk.write(
      "server.json",
      JSON.stringify({
        server: { trust_domain: trustDomain },
        plugins: { KeyManager: { aws_kms: { plugin_data: { region, key_identifier_value: "own" } } } },
      }),
    );
  });
  for (const { args, says, env = {} } of refused) {
    it(`refuse ${args.join(" ") || "no arguments"} with exit code 2`, {
      skip: args.includes("/dev/zero") && !existsSync("/dev/zero"),
    }, async () => {
      const { code, stdout, stderr } = await run(args, env);
      assert.deepEqual([code, stdout], [2, ""], stderr);
      assert.match(settled(stderr, desk), says);
    });
  }

  it("read server.conf in JSON", async () => {
    const { code, stdout } = await run(["keys", "--config", "server.json", "--filter", "server=own"]);
    assert.equal(code, 0);
    assert.match(stdout, /^own\* +x509-CA-A/m);
  });

  /** Through a shell, for what happens to its output. */
  async function shell(line: string): Promise<Run> {
    const child = spawn("/bin/sh", ["-c", line], {
      cwd: desk.folder,
      env: {
        PATH: process.env.PATH,
        HOME: desk.folder,
        CLI: cli,
        AWS_ENDPOINT_URL: desk.emulator.endpoint,
        AWS_ACCESS_KEY_ID: keyWithout(),
        AWS_SECRET_ACCESS_KEY: "x",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    const text = { stdout: "", stderr: "" };
    for (const name of ["stdout", "stderr"] as const) child[name].on("data", (data: Buffer) => (text[name] += data));
    const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
    return { code, ...text };
  }
  const printing = [
    `keys ${flags.join(" ")}`,
    `keys ${flags.join(" ")} --json`,
    "doctor --config server.conf",
    `report ${flags.join(" ")} --html -`,
    "policy iam --config server.conf",
    "completion bash",
  ];

  for (const args of printing) {
    const name = args.split(" --")[0];
    it(`${name}: say in words that a disk is full`, { skip: !existsSync("/dev/full") }, async () => {
      const { code, stderr } = await shell(`"$CLI" ${args} > /dev/full`);
      assert.equal(code, 1);
      assert.match(stderr, /^spire-aws-kms [a-z ]+: stdout cannot be written: ENOSPC$/m);
      assert.doesNotMatch(stderr, /^ {4}at /m);
    });

    it(`${name}: end quietly when nothing reads, and when there is no stdout at all`, async () => {
      const piped = await shell(`{ "$CLI" ${args}; echo $? >&2; } | true`);
      assert.match(piped.stderr, /^(141|0)$/m);
      assert.doesNotMatch(piped.stderr, /EPIPE|^ {4}at /m);
      const closed = await shell(`"$CLI" ${args} >&- 2>&-`);
      assert.equal(closed.code, 0);
    });
  }

  it("say what was done in colour at a terminal, not in its codes", { skip: !hasTerminals }, async () => {
    const KeyId = await desk.key();
    await desk.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    const env = {
      PATH: process.env.PATH,
      HOME: desk.folder,
      AWS_ENDPOINT_URL: desk.emulator.endpoint,
      AWS_ACCESS_KEY_ID: keyWithout(),
      AWS_SECRET_ACCESS_KEY: "x",
    };
    const command = [cli, "cancel-deletion", "--config", join(desk.folder, "server.conf"), KeyId, "--yes"];
    const { code, shown } = await onTerminal(command, env);
    assert.equal(code, 0, shown);
    assert.ok(shown.includes("\u001b[32mdone\u001b[39m  "), shown);
    assert.doesNotMatch(shown, /\\u001b/);
    await desk.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    const plain = await onTerminal(command, { ...env, NO_COLOR: "1" });
    assert.ok(plain.shown.includes("done  ") && !plain.shown.includes("\u001b[3"), plain.shown);
  });
});
