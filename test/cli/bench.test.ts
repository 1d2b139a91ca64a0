/** `spire-aws-kms bench` on the embedded KMS: the price told first, the plot, failures. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { devNull } from "node:os";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { percentilesOf, plotOf } from "../../src/cli/bench/plot.ts";
import { priceText, priceUsd } from "../../src/cli/bench/price.ts";
import { AccountWithPast, region, trustDomain } from "../report/account-with-past.ts";

const command = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));

describe("spire-aws-kms bench", () => {
  let account: AccountWithPast;
  before(async () => {
    account = await AccountWithPast.start({ servers: 1, ids: 1 });
  });
  after(() => account.emulator.close());

  const run = (...args: readonly string[]) =>
    new Promise<{ readonly code: number; readonly stdout: string; readonly stderr: string }>((resolve) => {
      const env = {
        PATH: process.env.PATH,
        LANG: "C.UTF-8",
        AWS_ACCESS_KEY_ID: "test",
        AWS_SECRET_ACCESS_KEY: "test",
        AWS_CONFIG_FILE: devNull,
        AWS_SHARED_CREDENTIALS_FILE: devNull,
        AWS_EC2_METADATA_DISABLED: "true",
      };
      const where = ["--trust-domain", trustDomain, "--region", region, "--endpoint", account.emulator.endpoint];
      const child = execFile(command, ["bench", ...where, ...args], { env }, (error, stdout, stderr) =>
        resolve({ code: typeof error?.code === "number" ? error.code : error ? -1 : 0, stdout, stderr }),
      );
      child.stdin?.end();
    });
  const signs = () => account.calls.filter((operation) => operation === "Sign").length;

  it("tells the price and does nothing where no one agrees", async () => {
    const { code, stdout, stderr } = await run();
    assert.deepEqual([code, stdout], [3, ""]);
    assert.match(
      stderr,
      /^100 signatures of x509-CA-A of spire-fra-01 \(ECC_NIST_P256\), 1 at a time\. At list price that costs \$0\.0015, less than a cent/,
    );
    assert.match(stderr, /no one is here to be asked; --yes agrees\n$/);
    assert.equal(signs(), 0);
  });

  it("signs as often as it said, and shows how long that took", async () => {
    const { code, stdout, stderr } = await run("--yes", "--count", "30", "--concurrency", "5", "--verbose");
    assert.equal(code, 0, stderr);
    assert.equal(signs(), 30);
    assert.match(stdout, /^ +[\d.]+–[\d.]+ ms +\d+ [█▏▎▍▌▋▊▉]*/);
    assert.match(
      stdout,
      /p50 [\d.]+ ms, p90 [\d.]+ m?s, p99 [\d.]+ m?s, slowest [\d.]+ m?s; [\d.]+ signatures a second with 5 at a time\n$/,
    );
    assert.match(stderr, /30 Sign/);
  });

  it("tells programs in JSON", async () => {
    const { code, stdout } = await run("--yes", "--count", "5", "--json");
    assert.equal(code, 0);
    const told = JSON.parse(stdout);
    assert.deepEqual(
      [told.format, told.version, told.signed, told.count, told.key_spec, told.algorithm, told.price_usd],
      ["spire-aws-kms/bench", 1, 5, 5, "ECC_NIST_P256", "ECDSA_SHA_256", 0.000075],
    );
    assert.deepEqual(Object.keys(told.latency_ms).sort(), ["max", "mean", "p50", "p90", "p99"]);
  });

  it("names the permission that is missing, and stops after twenty failures in a row", async () => {
    const before = signs();
    const fault = account.emulator.control.addFault({
      kind: "error",
      name: "AccessDeniedException",
      operation: "Sign",
    });
    const { code, stdout, stderr } = await run("--yes", "--count", "1000");
    fault.remove();
    assert.deepEqual([code, stdout], [1, ""]);
    assert.match(stderr, /of 1000 signatures failed: 20 ACCESS_DENIED; .*kms:Sign/);
    assert.equal(signs() - before, 20);
  });

  it("refuses what cannot be", async () => {
    for (const [args, words] of [
      [["--count", "10001"], /expected a whole number from 1 to 10000/],
      [["--concurrency", "0"], /expected a whole number from 1 to 50/],
    ] as const) {
      const { code, stderr } = await run(...args);
      assert.equal(code, 2);
      assert.match(stderr, words);
    }
    const unknown = await run("--yes", "--key", "alias/nowhere");
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /alias\/nowhere/);
    const none = await run("--yes", "--trust-domain", "other.org");
    assert.equal(none.code, 2);
    assert.match(none.stderr, /there is no key in use of this trust domain here; name one with --key/);
  });
});

describe("the numbers of bench", () => {
  it("are percentiles of what was measured", () => {
    const values = Array.from({ length: 100 }, (_, index) => 100 - index);
    assert.deepEqual(percentilesOf(values), { p50: 50, p90: 90, p99: 99, max: 100, mean: 50.5 });
    assert.equal(percentilesOf([7]).p99, 7);
  });

  it("are drawn within the terminal's width, each in its line", () => {
    const plot = plotOf([1.5, 1.6, 1.7, 30, 400], { columns: 60, isPlain: true });
    assert.deepEqual(
      plot.split("\n").map((line) => line.trimEnd()),
      [
        "         1-2 ms      3 ########################## p50",
        "         2-5 ms      0",
        "        5-10 ms      0",
        "       10-20 ms      0",
        "       20-50 ms      1 #########",
        "      50-100 ms      0",
        "     100-200 ms      0",
        "     200-500 ms      1 ######### p99",
      ],
    );
    assert.ok(plotOf([0.01], { columns: 20, isPlain: true }).length > 0);
  });

  it("cost what AWS asks for", () => {
    assert.equal(priceUsd("RSA_2048", 10_000), 0.03);
    assert.equal(priceUsd("ECC_NIST_P256", 10_000), 0.15);
    assert.equal(priceText(0.15), "$0.15");
  });
});
