/** `spire-aws-kms report` as a person meets it: the built command on the embedded KMS, with permissions and without. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { AccountWithPast, region, trustDomain } from "./account-with-past.ts";

const command = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));

const needed = ["kms:ListAliases", "kms:ListKeys", "kms:DescribeKey"];
const identity = (accessKeyId: string, actions: readonly string[]) => ({
  accessKeyId,
  secretAccessKey: "secret",
  arn: `arn:aws:iam::111122223333:user/${accessKeyId}`,
  policies: [{ Version: "2012-10-17", Statement: [{ Effect: "Allow", Action: actions, Resource: "*" }] }],
});
const without = (action: string): string => `AKIAWITHOUT${action.replace("kms:", "").toUpperCase()}`;

describe("spire-aws-kms report", () => {
  let account: AccountWithPast;
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "report-command-"));
    const identities = [
      identity("AKIAALL", needed),
      ...needed.map((action) =>
        identity(
          without(action),
          needed.filter((other) => other !== action),
        ),
      ),
      identity("AKIANOTHING", ["sts:GetCallerIdentity"]),
    ];
    account = await AccountWithPast.start(
      { servers: 2, ids: 2, ended: 0.5, orphans: 1 },
      { authorize: true, identities },
    );
  });
  after(async () => {
    await account.emulator.close();
    await rm(folder, { recursive: true, force: true });
  });

  interface Outcome {
    readonly code: number;
    readonly stdout: string;
    readonly stderr: string;
  }

  const run = (args: readonly string[], accessKeyId = "AKIAALL"): Promise<Outcome> =>
    new Promise((resolve) => {
      const env = {
        PATH: process.env.PATH,
        HOME: folder,
        AWS_ACCESS_KEY_ID: accessKeyId,
        AWS_SECRET_ACCESS_KEY: "secret",
        AWS_CONFIG_FILE: devNull,
        AWS_SHARED_CREDENTIALS_FILE: devNull,
        AWS_EC2_METADATA_DISABLED: "true",
      };
      const where = ["--trust-domain", trustDomain, "--region", region, "--endpoint", account.emulator.endpoint];
      execFile(command, ["report", ...where, ...args], { env, cwd: folder, maxBuffer: 1e8 }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr }),
      );
    });

  it("writes the page and says in a line what is in it", async () => {
    const { code, stdout, stderr } = await run(["--html", "page.html"]);
    assert.equal(stderr, "");
    assert.match(stdout, /^\/.*\/page\.html: \d keys of 2 servers, \d+ kB\n$/);
    assert.equal(code, 0);
    const page = await readFile(join(folder, "page.html"), "utf8");
    assert.match(page, /2 stale and 1 orphaned/);
    assert.match(page, /<h3>spire-iad-01<\/h3>/);
    // A page of an earlier run is replaced, and nothing is left beside it.
    assert.equal((await run(["--html", "page.html"])).code, 0);
    assert.deepEqual(
      (await readdir(folder)).filter((name) => name.startsWith("page")),
      ["page.html"],
    );
  });

  it("prints the page, and only the page, to stdout", async () => {
    const { code, stdout, stderr } = await run(["--html", "-", "--verbose"]);
    assert.equal(code, 0);
    assert.match(stdout, /^<!DOCTYPE html>[\s\S]*<\/html>\n$/);
    assert.match(
      stderr,
      /^\d+ calls of AWS: \d+ DescribeKey, 1 ListAliases, 1 ListKeys; never more than 200 a second\n$/,
    );
  });

  it("tells programs of the page in JSON", async () => {
    const { code, stdout } = await run(["--html", "json.html", "--json"]);
    assert.equal(code, 0);
    const told = JSON.parse(stdout);
    assert.deepEqual(
      [told.format, told.version, told.trust_domain, told.regions, told.file, told.summary.by_class.stale],
      ["spire-aws-kms/report", 1, trustDomain, [region], join(folder, "json.html"), 2],
    );
    assert.equal(told.bytes, (await readFile(join(folder, "json.html"))).length);
    assert.ok(told.findings.some(({ title }: { title: string }) => /2 keys are stale/.test(title)));
  });

  it("adds to its history, and shows it", async () => {
    const args = ["--html", "kept.html", "--history", "history.json"];
    assert.equal((await run(args)).code, 0);
    // KMS tells the time in whole seconds, and runs of one second are one.
    await setTimeout(1_100);
    assert.equal((await run(args)).code, 0);
    const history = JSON.parse(await readFile(join(folder, "history.json"), "utf8"));
    assert.equal(history.runs.length, 2);
    assert.match(await readFile(join(folder, "kept.html"), "utf8"), /As earlier runs saw it/);
  });

  it("changes nothing in the account", async () => {
    const changing = account.calls.filter((operation) => !/^(?:List|Describe|Get)/.test(operation));
    assert.deepEqual(changing, []);
  });

  it("writes over no file that is not its own", async () => {
    await writeFile(join(folder, "mine.html"), "<p>mine</p>");
    const { code, stdout, stderr } = await run(["--html", "mine.html"]);
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(
      stderr,
      /--html: .*mine\.html is there and is no page of an earlier run; name another file, or say --force/,
    );
    assert.equal(await readFile(join(folder, "mine.html"), "utf8"), "<p>mine</p>");
    assert.equal((await run(["--html", "mine.html", "--force"])).code, 0);
  });

  it("says what is wrong before it asks AWS", async () => {
    const calls = account.calls.length;
    await writeFile(join(folder, "text.json"), "text");
    const cases: readonly (readonly [readonly string[], RegExp])[] = [
      [[], /required option '--html <file>' not specified/],
      [["--html", "a.html", "--rate", "0"], /expected a whole number from 1 to 2000/],
      [["--html", "nowhere/a.html", "--nameless", "some"], /Allowed choices are auto, all, none/],
      [["--html", "-", "--json"], /--html - and --json both print to stdout/],
      [["--html", "a.html", "--history", "text.json"], /--history: .*text\.json is left as it is: it is not JSON/],
      [["--html", "."], /--html: .* cannot be read: EISDIR/],
      [["--html", "a.html", "--config", "no.conf"], /--config: .*no\.conf cannot be read: ENOENT/],
    ];
    for (const [args, words] of cases) {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
      if (args.includes("--json")) assert.equal(JSON.parse(stdout).format, "spire-aws-kms/error");
      else assert.equal(stdout, "");
      assert.match(stderr, words);
      assert.doesNotMatch(stderr, /\n\s+at /);
    }
    assert.equal(account.calls.length, calls);
  });

  it("says that a folder is not there", async () => {
    const { code, stderr } = await run(["--html", "nowhere/a.html"]);
    assert.equal(code, 2);
    assert.match(stderr, /--html: .*nowhere\/a\.html cannot be written: ENOENT/);
  });

  for (const action of needed) {
    it(`goes on without ${action}, and names it`, async () => {
      const file = `${action.replace(":", "-")}.html`;
      const { code, stderr } = await run(["--html", file], without(action));
      assert.equal(code, 4);
      assert.match(stderr, new RegExp(`${action} is missing: `));
      const page = await readFile(join(folder, file), "utf8");
      assert.match(page, new RegExp(action));
      assert.doesNotMatch(page, /All is well/);
    });
  }

  it("goes on without any permission at all", async () => {
    const { code, stderr } = await run(["--html", "nothing.html"], "AKIANOTHING");
    assert.equal(code, 4);
    assert.match(stderr, /kms:ListAliases is missing/);
    assert.match(stderr, /kms:ListKeys is missing/);
  });

  it("fails where AWS cannot be reached, and writes no page", async () => {
    const { code, stdout, stderr } = await run(["--html", "none.html", "--endpoint", "http://127.0.0.1:9"]);
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /^spire-aws-kms report: /);
    assert.equal((await readdir(folder)).includes("none.html"), false);
  });
});
