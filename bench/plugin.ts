/** The built plugin as SPIRE has it, on a stub of KMS. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import {
  Config,
  HashAlgorithm,
  Init,
  KeyManager,
  KeyType,
  type PluginHost,
  startPlugin,
  type UnaryClient,
} from "../src/plugin-sdk/index.ts";

export const pluginCommand = fileURLToPath(new URL("../dist/bin/aws_kms", import.meta.url));

if (!existsSync(pluginCommand)) throw new Error(`${pluginCommand} is not there; run "npm run build" first`);

export const keyId = "x509-CA-A";

/** The environment of a SPIRE server whose AWS is at this endpoint. */
export function pluginEnvironment(endpoint: string): Record<string, string | undefined> {
  const cleared = Object.keys(process.env).filter((name) => /^AWS_|^NODE_/.test(name));
  return {
    ...Object.fromEntries(cleared.map((name) => [name, undefined])),
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "AKIABENCH",
    AWS_SECRET_ACCESS_KEY: "bench",
    AWS_EC2_METADATA_DISABLED: "true",
  };
}

/** No scan starts while something is measured. */
export const benchSettings = 'region = "us-east-2"\nkey_identifier_value = "server"\nscan_start_delay = "24h"\n';

export interface BenchPlugin {
  readonly host: PluginHost;
  /** Until the handshake was read and the connection stood. */
  readonly startedInMs: number;
  readonly keyManager: UnaryClient<typeof KeyManager>;
  configure(settings?: string): Promise<void>;
  generate(id: string): Promise<void>;
  /** @returns the length of the signature, so that an empty one is not missed */
  sign(digest: Uint8Array): Promise<number>;
}

export async function startBenchPlugin(endpoint: string, command = pluginCommand): Promise<BenchPlugin> {
  const startedAt = performance.now();
  const host = await startPlugin({
    command,
    cookie: { key: "KeyManager", value: "KeyManager" },
    env: pluginEnvironment(endpoint),
  });
  const startedInMs = performance.now() - startedAt;
  const keyManager = host.client(KeyManager);
  await host.client(Init).init({ hostServiceNames: [] });
  return {
    host,
    startedInMs,
    keyManager,
    async configure(settings = benchSettings) {
      const request = { coreConfiguration: { trustDomain: "example.org" }, hclConfiguration: settings };
      await host.client(Config).configure(request);
    },
    async generate(id) {
      await keyManager.generateKey({ keyId: id, keyType: KeyType.EC_P256 });
    },
    async sign(data) {
      const signerOpts = { case: "hashAlgorithm", value: HashAlgorithm.SHA256 } as const;
      const { signature } = await keyManager.signData({ keyId, data, signerOpts }, { timeoutMs: 30_000 });
      return signature.length;
    },
  };
}

/** Calls as fast as so many callers make them, until so many are made. @returns calls a second */
export async function drive(calls: number, callers: number, call: () => Promise<unknown>): Promise<number> {
  let left = calls;
  const startedAt = performance.now();
  const caller = async (): Promise<void> => {
    while (left-- > 0) await call();
  };
  await Promise.all(Array.from({ length: callers }, caller));
  return calls / ((performance.now() - startedAt) / 1000);
}
