/**
 * 5,000 keys of 500 servers among 20,000 of others: calls, pace, memory, and how soon the first row is there. All of them in
 * `npm run test:long`, a fifth of them otherwise.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { aliasOf, region, trustDomain, useDesk } from "../operations/desk.ts";

const cli = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));
const factor = process.env.UPKEEP_FACTOR === "1" ? 1 : 0.2;
const servers = 500 * factor;
const keysOfServer = 10;
const others = 20_000 * factor;
const callsPerSecond = 500;
const aliasPages = (servers * keysOfServer + others) / 100;

/** The most memory that the process has had, in MB; undefined where the system does not tell. */
function peakMb(pid: number): number | undefined {
  try {
    const [, kb] = /VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
    return kb === undefined ? undefined : Number(kb) / 1024;
  } catch {
    return undefined;
  }
}

describe("spire-aws-kms keys in an account with 25,000 keys", () => {
  const desk = useDesk({ emulator: { authorize: false, awsManagedAliases: false } });

  it("asks about the trust domain's alone, at its pace, in little memory", async (t) => {
    // Material is made once: what is looked at is the inventory.
    const owner = { KeySpec: "HMAC_256", KeyUsage: "GENERATE_VERIFY_MAC", Description: "of others" };
    for (let n = 0; n < others; n++) {
      const KeyId = await desk.key(owner);
      await desk.call("CreateAlias", { AliasName: `alias/other-${n}`, TargetKeyId: KeyId });
    }
    for (let server = 0; server < servers; server++) {
      for (let n = 0; n < keysOfServer; n++) {
        const KeyId = await desk.key();
        await desk.call("CreateAlias", { AliasName: aliasOf(`s${server}`, `key-${n}`), TargetKeyId: KeyId });
      }
    }
    desk.emulator.control.clearJournal();
    const args = [
      "keys",
      "--trust-domain",
      trustDomain,
      "--region",
      region,
      "--rate",
      String(callsPerSecond),
      "--verbose",
    ];
    const child = spawn(cli, args, {
      env: {
        PATH: process.env.PATH,
        HOME: desk.folder,
        AWS_ENDPOINT_URL: desk.emulator.endpoint,
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let rows = 0;
    let stderr = "";
    let callsAtFirstRow: Readonly<Record<string, number>> | undefined;
    let peak: number | undefined;
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      rows += text.split("\n").filter((line) => /^s\d/.test(line)).length;
      if (rows > 0) callsAtFirstRow ??= desk.calls();
      peak = peakMb(child.pid ?? 0) ?? peak;
    });
    child.stderr.on("data", (data: Buffer) => {
      stderr += data.toString();
    });
    const code = await new Promise((resolve) => child.once("close", resolve));
    assert.equal(code, 0, stderr);
    assert.equal(rows, servers * keysOfServer);
    assert.deepEqual(desk.calls(), {
      ListAliases: aliasPages,
      ListKeys: aliasPages / 10,
      DescribeKey: servers * keysOfServer,
    });
    assert.match(stderr, /^\d+ calls of AWS: .*; never more than 500 a second$/m);
    // The first row is there before as many calls were made as one second has, and while aliases are still listed.
    const { ListAliases = 0, DescribeKey = 0, ListKeys = 0 } = callsAtFirstRow ?? {};
    t.diagnostic(`${peak} MB at most; at the first row ${ListAliases} pages and ${DescribeKey} keys`);
    assert.ok(ListAliases >= 1 && ListAliases < aliasPages, `${ListAliases} pages`);
    assert.ok(ListAliases + DescribeKey <= callsPerSecond, `${ListAliases} pages and ${DescribeKey} keys`);
    assert.equal(ListKeys, 0);
    if (peak !== undefined) assert.ok(peak <= 150, `${peak} MB`);
    // In any second, by KMS's own journal.
    const times = desk.emulator.control.journal().map(({ time }) => time.getTime());
    const most = Math.max(
      ...times.map((time, index) => times.slice(index, index + 600).filter((other) => other < time + 1000).length),
    );
    assert.ok(most <= 550, `${most} calls within one second`);
  });
});
