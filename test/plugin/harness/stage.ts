import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import type { Emulator, EmulatorOptions } from "../../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { KmsView } from "./kms-view.ts";
import { pluginCommand } from "./plugin-command.ts";
import { region } from "./settings.ts";
import { TestPlugin, type TestPluginOptions } from "./test-plugin.ts";

export const credentials = {
  accessKeyId: "AKIAACCEPTANCETEST01",
  secretAccessKey: "Never/Shown+Secret0Access1Key2OfTheTests3",
};

export interface StageOptions {
  readonly emulator?: EmulatorOptions;
  /** Default: the executable that `npm run build` made. */
  readonly pluginCommand?: string;
  /** More texts that must never be in a log line or an error. */
  readonly secrets?: readonly string[];
}

/** An embedded KMS, a folder, and the plugins that run on them. */
export class Stage {
  readonly #options: StageOptions;
  readonly #plugins: TestPlugin[] = [];
  #open: { readonly emulator: Emulator; readonly folder: string; readonly kms: KmsView } | undefined;

  constructor(options: StageOptions = {}) {
    this.#options = options;
  }

  get emulator(): Emulator {
    return this.#state.emulator;
  }

  get kms(): KmsView {
    return this.#state.kms;
  }

  /** SPIRE Server's working folder; removed when the stage closes. */
  get folder(): string {
    return this.#state.folder;
  }

  get #state() {
    assert.ok(this.#open, "the stage is not open");
    return this.#open;
  }

  async open(): Promise<void> {
    const emulator = await startTestEmulator({ region, ...this.#options.emulator });
    const folder = await mkdtemp(join(tmpdir(), "aws-kms-test-"));
    this.#open = { emulator, folder, kms: new KmsView(emulator) };
  }

  /** Starts a plugin, not yet configured; it is killed when the stage closes, if it still runs. */
  async start(options: Partial<TestPluginOptions> = {}): Promise<TestPlugin> {
    const { emulator, folder } = this.#state;
    const plugin = await TestPlugin.start({
      command: this.#options.pluginCommand ?? pluginCommand,
      cwd: folder,
      ...options,
      env: { ...pluginEnvironment(emulator.endpoint, folder), ...options.env },
    });
    this.#plugins.push(plugin);
    return plugin;
  }

  /** Ends everything, then asserts what holds for everything the plugins said. */
  async close(): Promise<void> {
    if (this.#open === undefined) return;
    const { emulator, folder } = this.#open;
    await Promise.all(this.#plugins.map(({ host }) => host.kill()));
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
    this.#open = undefined;
    const secrets = [credentials.secretAccessKey, ...(this.#options.secrets ?? [])];
    for (const { said, strayLines } of this.#plugins) {
      assert.deepEqual(strayLines, [], "stderr carries hclog lines and nothing else");
      for (const text of said) assertWithout(text, secrets);
    }
  }
}

function assertWithout(text: string, secrets: readonly string[]): void {
  for (const secret of secrets) {
    for (const form of [secret, encodeURIComponent(secret), Buffer.from(secret).toString("base64")]) {
      assert.ok(!text.includes(form), `a secret was told: ${text}`);
    }
  }
}

/** Nothing of the developer's own AWS settings, and no credentials but the tests'. */
export function pluginEnvironment(endpoint: string, folder: string): Record<string, string | undefined> {
  const inherited = new Set(["PATH", "TMPDIR"]);
  const cleared = Object.keys(process.env).filter((name) => !inherited.has(name));
  return {
    ...Object.fromEntries(cleared.map((name) => [name, undefined])),
    HOME: folder,
    AWS_CONFIG_FILE: join(folder, "no-aws-config"),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, "no-aws-credentials"),
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

/** A stage that is open while the tests of the surrounding `describe` run. */
export function useStage(options: StageOptions = {}): Stage {
  const stage = new Stage(options);
  before(() => stage.open());
  after(() => stage.close());
  return stage;
}
