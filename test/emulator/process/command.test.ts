/** The command `spire-aws-kms emulator`. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { emulatorCommand, parseAddress } from "../../../src/cli/commands/emulator.ts";
import { rawRequest } from "../fixture.ts";
import { endpointOf, startProcess } from "./emulator-process.ts";

const call = async (endpoint: string, operation: string, input: object): Promise<unknown> => {
  const reply = await rawRequest(endpoint, { "X-Amz-Target": `TrentService.${operation}` }, JSON.stringify(input));
  return JSON.parse(reply.body) as unknown;
};

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "emulator-command-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

describe("spire-aws-kms emulator", () => {
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    it(`prints its endpoint first, serves, and ends cleanly on ${signal}`, async (t) => {
      const emulator = startProcess(t, []);
      const endpoint = await endpointOf(emulator);
      assert.match(endpoint, /^http:\/\/127\.0\.0\.1:\d+$/);
      assert.deepEqual(await call(endpoint, "ListKeys", {}), { Keys: [], Truncated: false });
      emulator.child.kill(signal);
      const { code, stdout, stderr } = await emulator.ended;
      assert.deepEqual([code, stdout, stderr], [0, `{"endpoint":"${endpoint}"}\n`, ""]);
    });
  }

  it("prints the control plane second, and takes Region, account and further options", async (t) => {
    const config = join(temporaryFolder(t), "config.json");
    writeFileSync(config, JSON.stringify({ limits: { keysPerRegion: 1 }, quotas: { ListKeys: 7 } }));
    const args = ["--control", "127.0.0.1:0", "--region", "eu-west-3", "--account", "444455556666", "--config", config];
    const emulator = startProcess(t, [...args, "--no-aws-aliases", "--reuse-rsa-keys", "1"]);
    const [first = "", second = ""] = await emulator.lines(2);
    assert.match(second, /^\{"control":"http:\/\/127\.0\.0\.1:\d+"\}$/);
    const { endpoint } = JSON.parse(first) as { endpoint: string };
    const { control } = JSON.parse(second) as { control: string };
    const made = (await call(endpoint, "CreateKey", {})) as { KeyMetadata: { Arn: string } };
    assert.match(made.KeyMetadata.Arn, /^arn:aws:kms:eu-west-3:444455556666:key\//);
    assert.deepEqual(await call(endpoint, "ListAliases", {}), { Aliases: [], Truncated: false });
    assert.equal(((await call(endpoint, "CreateKey", {})) as { __type: string }).__type, "LimitExceededException");
    const journal = (await (await fetch(`${control}/journal`)).json()) as { records: unknown[] };
    assert.equal(journal.records.length, 3);
  });

  it("keeps its state in the data file", async (t) => {
    const data = join(temporaryFolder(t), "state.log");
    const first = startProcess(t, ["--data", data, "--fsync"]);
    const made = await call(await endpointOf(first), "CreateKey", { Description: "kept" });
    const { KeyId } = (made as { KeyMetadata: { KeyId: string } }).KeyMetadata;
    first.child.kill("SIGTERM");
    await first.ended;
    const second = startProcess(t, ["--data", data]);
    const described = await call(await endpointOf(second), "DescribeKey", { KeyId });
    assert.equal((described as { KeyMetadata: { Description: string } }).KeyMetadata.Description, "kept");
    const third = await startProcess(t, ["--data", data]).ended;
    assert.deepEqual([third.code, third.stdout], [1, ""]);
    assert.match(third.stderr, /^error: data file .*state\.log is in use by process \d+\n$/);
  });

  it("says why it cannot start", async (t) => {
    const folder = temporaryFolder(t);
    const garbage = join(folder, "garbage");
    writeFileSync(garbage, "this is not a data file\n");
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(0, "127.0.0.1", () => resolve()));
    t.after(() => taken.close());
    const { port } = taken.address() as { port: number };
    const config = (options: object) => {
      const path = join(folder, `config-${JSON.stringify(options).length}.json`);
      writeFileSync(path, JSON.stringify(options));
      return path;
    };
    const cases: readonly [string[], RegExp][] = [
      [["--listen", `127.0.0.1:${port}`], /^error: cannot listen on 127\.0\.0\.1:\d+: the port is in use\n$/],
      [["--control", `127.0.0.1:${port}`], /^error: cannot listen on 127\.0\.0\.1:\d+: the port is in use\n$/],
      [["--data", garbage], /^error: data file .*garbage is corrupt: no emulator wrote it\n$/],
      [["--data", folder], /^error: cannot read data file .*EISDIR/],
      [["--data", join(folder, "absent", "file")], /^error: cannot lock data file .*ENOENT/],
      [["--region", "mars"], /^error: mars is not the name of a Region\n$/],
      [["--account", "12"], /^error: account 12 is not 12 digits\n$/],
      [["--config", garbage], /^error: cannot read .*garbage: /],
      [
        ["--config", config({ identity: [] })],
        /^error: cannot read .*: there is no option identity; did you mean identities\?\n$/,
      ],
      [["--config", config({ quotas: { ListKeys: "5" } })], /: option quotas is not of the form/],
      [
        ["--config", config({ identities: [{ accessKeyId: "A", arn: "arn:aws:iam::1:user/a" }] })],
        /is not the ARN of a user/,
      ],
      [["--config", config({ roles: [{ arn: "x", trustPolicy: "{}" }] })], /^error: /],
      [["--listen", "nowhere"], /expected HOST:PORT/],
      [["--wrong"], /unknown option '--wrong'/],
    ];
    await Promise.all(
      cases.map(async ([args, message]) => {
        const { code, stdout, stderr } = await startProcess(t, args).ended;
        assert.deepEqual([code, stdout], [1, ""], args.join(" "));
        assert.match(stderr, message);
      }),
    );
  });

  it("explains itself", () => {
    const help = emulatorCommand().helpInformation();
    for (const text of [
      "--listen",
      "--data",
      "--control",
      "--region",
      "AWS_ENDPOINT_URL",
      '{"endpoint":"http://HOST:PORT"}',
    ]) {
      assert.ok(help.includes(text), text);
    }
  });

  it("reads addresses", () => {
    assert.deepEqual(parseAddress("0.0.0.0:80"), { host: "0.0.0.0", port: 80 });
    assert.deepEqual(parseAddress("[::1]:8080"), { host: "::1", port: 8080 });
    assert.deepEqual(parseAddress(":0"), { host: "127.0.0.1", port: 0 });
    assert.deepEqual(parseAddress("4566"), { host: "127.0.0.1", port: 4566 });
    for (const wrong of ["", "a", "a:b", "a:99999", "::1:80", "a:-1", "a b:1"])
      assert.throws(() => parseAddress(wrong));
  });
});
