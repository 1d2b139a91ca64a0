// The shipped executables under HashiCorp's own host, with the embedded KMS behind them. The plugins are what
// `npm run build` made; INTEROP_PLUGIN_DATA and INTEROP_PLUGIN name another file and its settings.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { type PrintableObject, printHcl } from "../../../src/hcl/index.ts";
import type { Emulator } from "../../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { buildGoHost, failedSteps, type GoHost, GoUnavailable, newestGoPlugin } from "./go-host.ts";

const region = "us-east-2";
const wholeLife =
  "ping,init,unconfigured,validate,configure,generate,sign,refusals,rotate,concurrent,interrupt,deinit,shutdown";
const secretAccessKey = "Never/Shown+Secret0Access1Key2OfTheInterop";
const bin = path.resolve(import.meta.dirname, "../../../dist/bin");

/** Settings of each plugin, beside the credentials. */
const awsKms = { key_identifier_value: "interop", max_keys_created_per_hour: 0 };
const plugins: Record<string, PrintableObject> = {
  aws_kms: awsKms,
  "aws_kms without the fast path": { ...awsKms, key_identifier_value: "by-grpc-js", grpc_fast_path: false },
  kms: { key_prefix: "INTEROP/" },
};

const fileOf = (name: string): string => name.split(" ")[0] ?? name;

let emulator: Emulator;
let folder: string;

before(async () => {
  emulator = await startTestEmulator({ region });
  folder = await mkdtemp(path.join(tmpdir(), "aws-kms-interop-"));
});

after(async () => {
  await emulator.close();
  await rm(folder, { recursive: true, force: true });
});

async function prepare(t: TestContext, name: string): Promise<{ host: GoHost; flags: string[] } | undefined> {
  const plugin = process.env.INTEROP_PLUGIN ?? path.join(bin, fileOf(name));
  if (!existsSync(plugin)) {
    t.skip(`${plugin} is not there; run "npm run build" first`);
    return undefined;
  }
  const dataFile = process.env.INTEROP_PLUGIN_DATA ?? path.join(folder, `${name}.hcl`);
  if (process.env.INTEROP_PLUGIN_DATA === undefined) {
    const access = { region, access_key_id: "AKIAINTEROPTEST00001", secret_access_key: secretAccessKey };
    await writeFile(dataFile, printHcl({ ...access, ...plugins[name] }));
  }
  try {
    const host = await buildGoHost({ goPlugin: newestGoPlugin, race: true });
    return { host, flags: ["-plugin", plugin, "-name", fileOf(name), "-data-file", dataFile] };
  } catch (error) {
    if (!(error instanceof GoUnavailable)) throw error;
    t.skip(error.message);
    return undefined;
  }
}

describe("the shipped plugins under go-plugin's host", { timeout: 900_000 }, () => {
  before(() => {
    process.env.AWS_ENDPOINT_URL = emulator.endpoint;
  });
  after(() => {
    delete process.env.AWS_ENDPOINT_URL;
  });

  for (const name of Object.keys(plugins)) {
    for (const mode of ["plain", "AutoMTLS"] as const) {
      it(`${name} signs certificates with every key type and digest, ${mode}`, async (t) => {
        const ready = await prepare(t, name);
        if (ready === undefined) return;
        const { host, flags } = ready;
        const report = await host.run(
          ...flags,
          "-signers",
          "4",
          "-steps",
          wholeLife,
          ...(mode === "plain" ? [] : ["-auto-mtls"]),
        );
        assert.deepEqual(failedSteps(report), []);
        assert.equal(report.steps.find(({ step }) => step === "sign")?.detail, "18 certificates");
        const own = report.log.filter(({ module }) => module.startsWith(fileOf(name)));
        assert.ok(own.length > 0, "no log line of the plugin has arrived parsed");
        assert.equal(JSON.stringify(report).includes(secretAccessKey), false);
      });
    }

    it(`${name} finds its keys again after it was killed`, async (t) => {
      const ready = await prepare(t, name);
      if (ready === undefined) return;
      const { host, flags } = ready;
      const killed = await host.run(
        ...flags,
        "-key-types",
        "EC_P256,EC_P384",
        "-steps",
        "init,configure,generate,sigkill",
      );
      assert.deepEqual(failedSteps(killed), []);
      const again = await host.run(
        ...flags,
        "-key-types",
        "EC_P256,EC_P384",
        "-steps",
        "init,configure,adopt,sign,shutdown",
      );
      assert.deepEqual(failedSteps(again), []);
    });
  }
});
