import assert from "node:assert/strict";
import { before } from "node:test";
import { KeyType, type PublicKey } from "../../../src/plugin-sdk/index.ts";
import { type Stage, useStage } from "./stage.ts";
import type { TestPlugin } from "./test-plugin.ts";

/** Key ids, named after their types. */
export const signerKeys = {
  p256: KeyType.EC_P256,
  p384: KeyType.EC_P384,
  "rsa-2048": KeyType.RSA_2048,
  "rsa-4096": KeyType.RSA_4096,
} as const;

export type SignerKeyId = keyof typeof signerKeys;
export const signerKeyIds = Object.keys(signerKeys) as readonly SignerKeyId[];

/** A configured plugin with one key of every type, shared by all that only sign. */
export class Signer {
  readonly stage: Stage;
  readonly #keys = new Map<SignerKeyId, PublicKey>();
  #plugin: TestPlugin | undefined;

  constructor(stage: Stage) {
    this.stage = stage;
  }

  get plugin(): TestPlugin {
    assert.ok(this.#plugin, "the signer is not open");
    return this.#plugin;
  }

  key(keyId: SignerKeyId): PublicKey {
    const key = this.#keys.get(keyId);
    assert.ok(key, keyId);
    return key;
  }

  async open(): Promise<void> {
    this.#plugin = await this.stage.start();
    await this.plugin.configure();
    const make = async (keyId: SignerKeyId) =>
      this.#keys.set(keyId, await this.plugin.generate(keyId, signerKeys[keyId]));
    await Promise.all(signerKeyIds.map(make));
  }
}

/** A signer for the tests of the surrounding `describe`. */
export function useSigner(): Signer {
  const signer = new Signer(useStage());
  before(() => signer.open());
  return signer;
}
