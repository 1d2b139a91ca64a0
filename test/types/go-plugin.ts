/** Types of `./go-plugin` for plugins and hosts that have nothing to do with SPIRE. Compiled, never run. */
import type { Logger, PluginContext } from "../../src/go-plugin/index.ts";
import {
  type GoPluginErrorCode,
  type Handshake,
  type PluginHost,
  serve,
  service,
  startPlugin,
} from "../../src/go-plugin/index.ts";
import { KeyManager } from "../../src/plugin-sdk/index.ts";
import type { Equal, Expect } from "./equal.ts";

export type ContextHasBrokerAndLog = Expect<Equal<keyof PluginContext, "broker" | "log">>;
export type LogIsALogger = Expect<Equal<PluginContext["log"], Logger>>;

export const plugin = (): Promise<void> =>
  serve({
    cookie: { key: "MY_PLUGIN", value: "yes" },
    name: "mine",
    services: ({ log }) => [
      service(KeyManager, {
        generateKey: () => ({}),
        getPublicKey: () => ({}),
        getPublicKeys: () => ({}),
        signData: ({ keyId }) => {
          log.info("signed", { keyId });
          return {};
        },
      }),
    ],
  });

// @ts-expect-error a plugin without a magic cookie would start wherever it is called
export const withoutCookie = (): Promise<void> => serve({ name: "mine", services: [] });

export async function host(): Promise<Handshake> {
  const started: PluginHost = await startPlugin({ command: "./plugin", cookie: { key: "MY_PLUGIN", value: "yes" } });
  const { signature } = await started.client(KeyManager).signData({ keyId: "a" });
  const bytes: Uint8Array = signature;
  const { wasKilled } = await started.shutdown();
  const isKilled: boolean = wasKilled;
  return bytes.length > 0 && isKilled ? started.handshake : started.handshake;
}

// Codes are a closed set: this compiles as long as every one is handled.
export function sideOf(code: Extract<GoPluginErrorCode, `CHECKSUM_${string}` | `START_${string}`>): "file" | "process" {
  switch (code) {
    case "CHECKSUM_INVALID":
    case "CHECKSUM_MISMATCH":
      return "file";
    case "START_FAILED":
    case "START_TIMEOUT":
      return "process";
  }
}
