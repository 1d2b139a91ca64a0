/**
 * The shell blocks of the pages for operators, run as they stand: against the embedded KMS, in a folder that is made for it. A line
 * ends with 0 unless the page says another exit code (`# exit 3`). What cannot run here is listed below, with the reason.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { mkdir, symlink } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import type { Command, Option } from "commander";
import { programOf } from "../../src/cli/program.ts";
import { hasTerminals, onTerminal } from "../cli/pseudo-terminal.ts";
import { pluginCommand } from "../plugin/harness/plugin-command.ts";
import { aliasOf, Desk, keyWithout, region, trustDomain } from "./desk.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const docs = join(root, "docs");
const bin = join(root, "dist/bin");
const west = "us-west-2";

interface Block {
  readonly page: string;
  readonly line: number;
  readonly text: string;
}

function blocksOf(page: string): readonly Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```(?:sh|bash|shell)\n(.*?)^```$/gms)].map((match) => ({
    page,
    line: text.slice(0, match.index).split("\n").length,
    text: match[1] ?? "",
  }));
}

const pages = [
  "README.md",
  ...readdirSync(docs)
    .filter((name) => name.endsWith(".md"))
    .map((name) => `docs/${name}`),
];
const all = pages.flatMap(blocksOf);

/** By page, and a text in the block. */
const notRun: readonly (readonly [page: string, text: string, reason: string])[] = [
  ["README.md", "npm ci && npm start", "installs packages; CI's own first steps are these"],
  ["README.md", "spire-server run", "needs SPIRE Server; its emulator is in kms-emulator.md's blocks"],
  ["docs/install.md", "install -D -m 0755 dist/bin/aws_kms", "run by test/executables/script-form.interop.test.ts"],
  ["docs/install.md", "npm run build:scratch", "run by test/executables/standalone.interop.test.ts"],
  ["docs/kms-emulator.md", "--listen 127.0.0.1:4566\n", "run by test/emulator/process/documentation.test.ts"],
  ["docs/kms-emulator.md", "aws kms create-key", "run with the real AWS CLI by test/interop"],
  ["docs/kms-emulator.md", "--tls --tls-name kms.test", "stays in the foreground; run by test/emulator"],
  ["docs/kms-emulator.md", "AWS_CA_BUNDLE", "sets variables alone"],
  ["docs/plugin-guide.md", "", "about plugins of one's own; run by test/package"],
];

const reasonOf = ({ page, text }: Block): string | undefined =>
  notRun.find(([ofPage, part]) => ofPage === page && text.includes(part))?.[2];

/** A line of a block as a person would type it. */
interface Line {
  readonly text: string;
  readonly code: number;
}

const linesOf = ({ text }: Block): readonly Line[] =>
  text
    .split("\n")
    .filter((line) => line.trim() !== "" && !line.startsWith("#"))
    .map((line) => ({ text: line, code: Number(/#.*\bexit (\d+)/.exec(line)?.[1] ?? 0) }));

/** Stands for AWS's own command line: the same operations and parameters, as KMS's model has them. */
const awsScript = (kms: string) => `
import { createRequire } from "node:module";
const sdk = createRequire(${JSON.stringify(kms)})("@aws-sdk/client-kms");
const pascal = (text) => text.split("-").map((part) => part[0].toUpperCase() + part.slice(1)).join("");
const [service, operation, ...rest] = process.argv.slice(2);
if (service !== "kms") throw new Error("only kms is known: " + service);
const input = {};
let region = process.env.AWS_REGION;
for (let n = 0; n < rest.length; n += 2) {
  if (rest[n] === "--region") region = rest[n + 1];
  else input[pascal(rest[n].slice(2))] = rest[n + 1];
}
const client = new sdk.KMSClient({ region });
console.log(JSON.stringify(await client.send(new sdk[pascal(operation) + "Command"](input)), undefined, 2));
`;

describe("shell blocks of the pages for operators", {
  skip: hasTerminals ? false : "python3 makes no terminals here",
}, () => {
  const desk = new Desk({ daysAgo: 3 });
  /** What stands for names in capitals, in a block of this page. */
  const words = new Map<string, string>();
  const place = (path: string) => join(desk.folder, path);

  before(async () => {
    await desk.open();
    const checksum = createHash("sha256").update(readFileSync(pluginCommand)).digest("hex");
    const block = (where: string, data: string) =>
      `server { trust_domain = "${trustDomain}" }\nplugins { KeyManager "aws_kms" { plugin_cmd = "${pluginCommand}" plugin_checksum = "${checksum}" plugin_data { region = "${where}" ${data} } } }\n`;
    const own = block(region, `key_identifier_value = "own"`);
    await desk.write("server.conf", own, 0o600);
    await desk.write("opt/spire/conf/server/server.conf", own, 0o600);
    await desk.write(
      "etc/spire/server.conf",
      block(west, `key_identifier_value = "root" replica_regions = ["${region}"]`),
      0o600,
    );
    await mkdir(place("bin"));
    await symlink(join(bin, "spire-aws-kms"), place("bin/spire-aws-kms"));
    await desk.write("aws.mjs", awsScript(join(root, "package.json")));
    await desk.write("bin/aws", `#!/bin/sh\nexec node ${place("aws.mjs")} "$@"\n`, 0o755);
    await desk.serverKey("own", "x509-CA-A");
    const multi = await desk.serverKey("root", "x509-CA-A", { MultiRegion: true });
    await desk.call("ReplicateKey", { KeyId: multi, ReplicaRegion: west, Description: `SPIRE_SERVER/${trustDomain}` });
    desk.emulator.control.advance(60_000);
    await desk.call("CreateAlias", { AliasName: aliasOf("root", "x509-CA-A"), TargetKeyId: multi }, { region: west });
    const older = await desk.key({ Description: "" });
    await desk.call("CreateAlias", { AliasName: "alias/SERVER_A/x509-CA-A", TargetKeyId: older });
    desk.today();
    await desk.refresh("own", "x509-CA-A", await desk.serverKey("own", "JWT-Signer-A"));
  });
  after(() => desk.close());

  /** A key's ARN; its deletion is scheduled where the block cancels that. */
  async function keyFor({ text }: Block): Promise<string> {
    const KeyId = await desk.key();
    if (/cancel-(key-)?deletion/.test(text)) await desk.call("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
    return `arn:aws:kms:${region}:111122223333:key/${KeyId}`;
  }

  const settle = (text: string): string => {
    const named = [...words].reduce((whole, [word, value]) => whole.replaceAll(word, value), text);
    return named.replace(/(?<=[\s=])\/(opt|etc)\/spire\//g, (_, folder: string) => `${place(folder)}/spire/`);
  };

  async function run(block: Block): Promise<void> {
    const lines = linesOf(block);
    assert.ok(lines.length > 0, "an empty block");
    words.set("KEY_ARN", await keyFor(block));
    words.set("TRUST_DOMAIN/SERVER_ID/KEY_ID", "example_org/own/x509-CA-A");
    const script = lines
      .map(
        ({ text, code }, index) =>
          `${settle(text)}\n[ $? = ${code} ] || { echo "LINE ${index} ended with another code"; exit 99; }`,
      )
      .join("\n");
    const file = await desk.write(
      `block-${block.line}.sh`,
      `cd ${desk.folder}\nexport PATH=${place("bin")}:"$PATH"\n${script}\n`,
    );
    const env = {
      PATH: `${place("bin")}:${process.env.PATH}`,
      HOME: desk.folder,
      AWS_ENDPOINT_URL: desk.emulator.endpoint,
      AWS_EC2_METADATA_DISABLED: "true",
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: keyWithout(),
      AWS_SECRET_ACCESS_KEY: "secret",
    };
    const { code, shown } = await onTerminal(["bash", file], env, answerFor(block));
    const line = /LINE (\d+)/.exec(shown)?.[1];
    assert.equal(code, 0, `${lines[Number(line ?? 0)]?.text}\n${shown}`);
  }

  /** What a person answers who means it. */
  const answerFor = ({ text }: Block) => {
    if (text.includes("spire-aws-kms promote")) return { when: `Type ${west}`, keys: `${west}\\n` };
    return text.includes("spire-aws-kms bench")
      ? { when: "Go on?", keys: "y\\n" }
      : { when: "Type yes", keys: "yes\\n" };
  };

  for (const block of all) {
    const reason = reasonOf(block);
    const name = `${block.page}:${block.line} ${block.text.split("\n")[0]}`;
    if (reason === undefined) it(name, () => run(block));
    else it(name, { skip: reason }, () => undefined);
  }

  it("are all there that are listed as not run", () => {
    for (const [page, text] of notRun)
      assert.ok(
        all.some((block) => block.page === page && block.text.includes(text)),
        `${page}: ${text}`,
      );
  });
});

/** Commands that stand in sentences, tables and blocks of every page: each exists, with every option that is named. */
describe("commands that the pages name", () => {
  const find = (within: Command, name: string) => within.commands.find((command) => command.name() === name);
  const optionOf = (command: Command, flag: string): Option | undefined =>
    command.options.find(({ long, short }) => long === flag || short === flag);

  function problemWith(text: string): string | undefined {
    let command: Command = programOf();
    for (const word of text.split(/\s+/).slice(1)) {
      if (/^[|#;&>]/.test(word)) return undefined;
      if (word.startsWith("-") && word !== "-") {
        const flag = word.replace(/[=,].*$/, "");
        if (!["--help", "--version", "-h", "-V"].includes(flag) && optionOf(command, flag) === undefined)
          return `${command.name()} has no ${flag}`;
      } else if (command.commands.length > 0 && /^[a-z][a-z-]*$/.test(word)) {
        const next = find(command, word);
        if (next === undefined) return `${command.name()} has no command ${word}`;
        command = next;
      }
    }
    return undefined;
  }

  for (const page of pages) {
    const text = readFileSync(join(root, page), "utf8");
    const spans = [...text.matchAll(/`(spire-aws-kms [^`\n]+)`/g)].map(([, span]) => span ?? "");
    const lines = [...text.matchAll(/^ *(?:dist\/bin\/)?(spire-aws-kms .*)$/gm)].map(([, line]) => line ?? "");
    const commands = [...spans, ...lines].filter((line) => !/\[options\]|^spire-aws-kms \W/.test(line));
    if (commands.length === 0) continue;
    it(`${page}: ${commands.length}`, () => {
      assert.deepEqual(
        commands
          .flatMap((command) => problemWith(command.replace(/(\w+)\|\w+(\|\w+)*/g, "$1")) ?? [])
          .map((problem) => `${page}: ${problem}`),
        [],
      );
    });
  }
});
