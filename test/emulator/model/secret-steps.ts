/** Steps of a random walk with what is secret: ciphertexts, MACs, grants, rotations, imported material. */
import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { wrapMaterial } from "../operations/import-material.ts";
import { checkState, Expected, type Model, type ModelKey, onDemandRotationsPerKey } from "./model.ts";
import { type Action, dayMs, type Steps } from "./steps.ts";

interface Sealed {
  readonly blob: Uint8Array;
  readonly keyId: string;
  readonly plaintext: string;
  readonly context: string;
}

interface Authenticated {
  readonly mac: Uint8Array;
  readonly keyId: string;
  readonly message: string;
}

interface Granted {
  readonly region: string;
  readonly keyId: string;
  readonly grantId: string;
  readonly token: string;
}

const kept = 40;
const principal = "arn:aws:iam::111122223333:role/app";

function requireUsage(key: ModelKey, usage: string): void {
  if (key.usage !== usage) throw new Expected("InvalidKeyUsageException");
}

/** Symmetric keys alone encrypt without an algorithm being named. */
function requireSymmetric(key: ModelKey): void {
  requireUsage(key, "ENCRYPT_DECRYPT");
  if (key.spec !== "SYMMETRIC_DEFAULT") throw new Expected("InvalidKeyUsageException");
}

export class SecretSteps {
  readonly #steps: Steps;
  readonly #model: Model;
  readonly #sealed: Sealed[] = [];
  readonly #macs: Authenticated[] = [];
  readonly #materials = new Map<string, Uint8Array>();
  #grants: Granted[] = [];

  constructor(steps: Steps) {
    this.#steps = steps;
    this.#model = steps.model;
  }

  actions(region: string): readonly Action[] {
    return [
      [4, () => this.#encrypt(region)],
      [5, () => this.#decrypt(region)],
      [3, () => this.#reEncrypt(region)],
      [2, () => this.#dataKey(region)],
      [3, () => this.#generateMac(region)],
      [3, () => this.#verifyMac(region)],
      [2, () => this.#createGrant(region)],
      [2, () => this.#listGrants(region)],
      [1, () => this.#revokeGrant()],
      [1, () => this.#retireGrant()],
      [2, () => this.#enableRotation(region)],
      [1, () => this.#disableRotation(region)],
      [2, () => this.#rotate(region)],
      [3, () => this.#rotationStatus(region)],
      [2, () => this.#import(region)],
      [1, () => this.#deleteMaterial(region)],
    ];
  }

  /** The same words as often as not, so that contexts fit now and then. */
  #context(): string {
    return this.#steps.random.pick(["a", "b", "c"]);
  }

  #keep<T>(list: T[], item: T): void {
    list.push(item);
    if (list.length > kept) list.shift();
  }

  async #encrypt(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const plaintext = `p${this.#steps.random.below(1_000)}`;
    const context = this.#context();
    const input = { KeyId: text, Plaintext: Buffer.from(plaintext), EncryptionContext: { c: context } };
    const both = await this.#steps.both("Encrypt", region, input, () => {
      const key = this.#model.require(region, id);
      checkState("Encrypt", key);
      requireSymmetric(key);
      return key;
    });
    if (!both) return;
    const { CiphertextBlob } = both.output as { CiphertextBlob: Uint8Array };
    this.#keep(this.#sealed, { blob: CiphertextBlob, keyId: both.expected.id, plaintext, context });
  }

  /** The key of a ciphertext, if it is in this Region. */
  #keyOf(region: string, { keyId }: Sealed): ModelKey {
    const key = this.#model.find(region, keyId);
    if (!key) throw new Expected("AccessDeniedException");
    return key;
  }

  async #decrypt(region: string): Promise<void> {
    const { below, pick } = this.#steps.random;
    if (this.#sealed.length === 0) return;
    const sealed = pick(this.#sealed);
    const context = below(5) === 0 ? this.#context() : sealed.context;
    const named = below(3) === 0 ? this.#steps.someKey(region) : undefined;
    const input = { CiphertextBlob: sealed.blob, EncryptionContext: { c: context }, KeyId: named?.text };
    const both = await this.#steps.both("Decrypt", region, input, () => {
      const key = named ? this.#model.require(region, named.id) : this.#keyOf(region, sealed);
      checkState("Decrypt", key);
      requireSymmetric(key);
      if (key.id !== sealed.keyId) throw new Expected("IncorrectKeyException");
      if (context !== sealed.context) throw new Expected("InvalidCiphertextException");
      return sealed.plaintext;
    });
    if (!both) return;
    const { Plaintext } = both.output as { Plaintext: Uint8Array };
    assert.equal(Buffer.from(Plaintext).toString(), both.expected);
  }

  async #reEncrypt(region: string): Promise<void> {
    const { pick } = this.#steps.random;
    if (this.#sealed.length === 0) return;
    const sealed = pick(this.#sealed);
    const { id, text } = this.#steps.someKey(region);
    const context = this.#context();
    const input = {
      CiphertextBlob: sealed.blob,
      SourceEncryptionContext: { c: sealed.context },
      DestinationKeyId: text,
      DestinationEncryptionContext: { c: context },
    };
    const both = await this.#steps.both("ReEncrypt", region, input, () => {
      checkState("ReEncrypt", this.#keyOf(region, sealed));
      const key = this.#model.require(region, id);
      checkState("ReEncrypt", key);
      requireSymmetric(key);
      return key.id;
    });
    if (!both) return;
    const { CiphertextBlob } = both.output as { CiphertextBlob: Uint8Array };
    this.#keep(this.#sealed, { ...sealed, blob: CiphertextBlob, keyId: both.expected, context });
  }

  async #dataKey(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const context = this.#context();
    const input = { KeyId: text, NumberOfBytes: 5, EncryptionContext: { c: context } };
    const both = await this.#steps.both("GenerateDataKey", region, input, () => {
      const key = this.#model.require(region, id);
      checkState("GenerateDataKey", key);
      requireSymmetric(key);
      return key.id;
    });
    if (!both) return;
    const { CiphertextBlob, Plaintext } = both.output as { CiphertextBlob: Uint8Array; Plaintext: Uint8Array };
    const plaintext = Buffer.from(Plaintext).toString();
    if (Buffer.from(plaintext).equals(Buffer.from(Plaintext))) {
      this.#keep(this.#sealed, { blob: CiphertextBlob, keyId: both.expected, plaintext, context });
    }
  }

  #requireMacKey(operation: string, region: string, id: string): ModelKey {
    const key = this.#model.require(region, id);
    checkState(operation, key);
    requireUsage(key, "GENERATE_VERIFY_MAC");
    return key;
  }

  async #generateMac(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const message = `m${this.#steps.random.below(5)}`;
    const input = { KeyId: text, Message: Buffer.from(message), MacAlgorithm: "HMAC_SHA_256" };
    const expect = () => this.#requireMacKey("GenerateMac", region, id);
    const both = await this.#steps.both("GenerateMac", region, input, expect);
    if (both) this.#keep(this.#macs, { mac: (both.output as { Mac: Uint8Array }).Mac, keyId: id, message });
  }

  async #verifyMac(region: string): Promise<void> {
    const { below, pick } = this.#steps.random;
    if (this.#macs.length === 0) return;
    const known = pick(this.#macs);
    const { id, text } = below(2) === 0 ? this.#steps.someKey(region) : { id: known.keyId, text: known.keyId };
    const message = `m${below(5)}`;
    const input = { KeyId: text, Message: Buffer.from(message), MacAlgorithm: "HMAC_SHA_256", Mac: known.mac };
    await this.#steps.both("VerifyMac", region, input, () => {
      const key = this.#requireMacKey("VerifyMac", region, id);
      if (key.id !== known.keyId || message !== known.message) throw new Expected("KMSInvalidMacException");
    });
  }

  async #createGrant(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const input = { KeyId: text, GranteePrincipal: principal, Operations: ["DescribeKey"] };
    const both = await this.#steps.both("CreateGrant", region, input, () => {
      const key = this.#model.require(region, id);
      checkState("CreateGrant", key);
    });
    if (!both) return;
    const { GrantId, GrantToken } = both.output as { GrantId: string; GrantToken: string };
    this.#grants.push({ region, keyId: id, grantId: GrantId, token: GrantToken });
  }

  /** Grants end with their key. */
  #forgetLost(): void {
    this.#grants = this.#grants.filter(({ region, keyId }) => this.#model.find(region, keyId));
  }

  async #listGrants(region: string): Promise<void> {
    this.#forgetLost();
    const { id, text } = this.#steps.someKey(region);
    const both = await this.#steps.both("ListGrants", region, { KeyId: text, Limit: 100 }, () =>
      this.#model.require(region, id),
    );
    if (!both) return;
    const { Grants } = both.output as { Grants: { GrantId: string }[] };
    const expected = this.#grants.filter((grant) => grant.region === region && grant.keyId === id);
    const first = expected.map(({ grantId }) => grantId).sort();
    if (first.length <= 100) assert.deepEqual(Grants.map(({ GrantId }) => GrantId).sort(), first);
  }

  async #endGrant(operation: string, inputOf: (grant: Granted) => object): Promise<void> {
    this.#forgetLost();
    if (this.#grants.length === 0) return;
    const grant = this.#steps.random.pick(this.#grants);
    await this.#steps.both(operation, grant.region, inputOf(grant), () => undefined);
    this.#grants = this.#grants.filter((other) => other !== grant);
    await this.#steps.both(operation, grant.region, inputOf(grant), () => {
      throw new Expected("NotFoundException");
    });
  }

  #revokeGrant(): Promise<void> {
    return this.#endGrant("RevokeGrant", ({ keyId, grantId }) => ({ KeyId: keyId, GrantId: grantId }));
  }

  #retireGrant(): Promise<void> {
    return this.#endGrant("RetireGrant", ({ token }) => ({ GrantToken: token }));
  }

  /** What every operation on rotation asks first. */
  #requireRotatable(region: string, id: string): ModelKey {
    const key = this.#model.require(region, id);
    if (key.spec !== "SYMMETRIC_DEFAULT" || key.isExternal) throw new Expected("UnsupportedOperationException");
    return key;
  }

  #requirePrimary(key: ModelKey): void {
    if (!this.#model.isPrimary(key)) throw new Expected("UnsupportedOperationException");
  }

  async #enableRotation(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const RotationPeriodInDays = this.#steps.random.pick([90, 100]);
    const input = { KeyId: text, RotationPeriodInDays };
    await this.#steps.both("EnableKeyRotation", region, input, () => {
      const key = this.#requireRotatable(region, id);
      checkState("EnableKeyRotation", key);
      this.#requirePrimary(key);
      const rotation = this.#model.rotationOf(id);
      if (rotation.periodDays === RotationPeriodInDays) return;
      rotation.periodDays = RotationPeriodInDays;
      rotation.nextMs = this.#model.nowMs + RotationPeriodInDays * dayMs;
      rotation.isWaiting = false;
    });
  }

  async #disableRotation(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    await this.#steps.both("DisableKeyRotation", region, { KeyId: text }, () => {
      const key = this.#requireRotatable(region, id);
      checkState("DisableKeyRotation", key);
      this.#requirePrimary(key);
      Object.assign(this.#model.rotationOf(id), {
        periodDays: 0,
        nextMs: Number.POSITIVE_INFINITY,
        isWaiting: false,
      });
    });
  }

  async #rotate(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    await this.#steps.both("RotateKeyOnDemand", region, { KeyId: text }, () => {
      const key = this.#model.require(region, id);
      if (key.spec !== "SYMMETRIC_DEFAULT") throw new Expected("UnsupportedOperationException");
      if (key.isExternal && !this.#materials.has(id)) throw new Expected("UnsupportedOperationException");
      checkState("RotateKeyOnDemand", key);
      this.#requirePrimary(key);
      // There is never more than one imported material here.
      if (key.isExternal) throw new Expected("KMSInvalidStateException");
      const rotation = this.#model.rotationOf(id);
      if (rotation.onDemand >= onDemandRotationsPerKey) throw new Expected("LimitExceededException");
      rotation.onDemand += 1;
      rotation.total += 1;
    });
  }

  async #rotationStatus(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const input = { KeyId: text };
    const status = await this.#steps.both("GetKeyRotationStatus", region, input, () => {
      const key = this.#requireRotatable(region, id);
      const rotation = this.#model.rotationOf(id);
      const isOn = rotation.periodDays > 0 && !key.state.startsWith("Pending");
      return [isOn, isOn ? rotation.nextMs : undefined];
    });
    if (!status) return;
    const { KeyRotationEnabled, NextRotationDate } = status.output as {
      KeyRotationEnabled: boolean;
      NextRotationDate?: Date;
    };
    assert.deepEqual([KeyRotationEnabled, NextRotationDate?.getTime()], status.expected);
    const listed = await this.#steps.both("ListKeyRotations", region, input, () => this.#model.rotationOf(id).total);
    if (listed) assert.equal((listed.output as { Rotations: object[] }).Rotations.length, listed.expected);
  }

  /** Imports into keys that take it; the same material again, or another one. */
  async #import(region: string): Promise<void> {
    const { below } = this.#steps.random;
    const { id, text } = this.#steps.someKey(region);
    const wanted = { KeyId: text, WrappingAlgorithm: "RSAES_OAEP_SHA_256", WrappingKeySpec: "RSA_2048" };
    const parameters = await this.#steps.both("GetParametersForImport", region, wanted, () => {
      const key = this.#model.require(region, id);
      if (!key.isExternal) throw new Expected("UnsupportedOperationException");
      checkState("GetParametersForImport", key);
      return key;
    });
    if (!parameters) return;
    const { PublicKey, ImportToken } = parameters.output as { PublicKey: Uint8Array; ImportToken: Uint8Array };
    const known = this.#materials.get(id);
    const material = known && below(4) > 0 ? known : randomBytes(32);
    const input = {
      KeyId: text,
      ImportToken,
      EncryptedKeyMaterial: wrapMaterial(PublicKey, "RSAES_OAEP_SHA_256", material),
      ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
    };
    await this.#steps.both("ImportKeyMaterial", region, input, () => {
      if (known && known !== material) throw new Expected("IncorrectKeyMaterialException");
      const key = parameters.expected;
      this.#materials.set(id, material);
      key.hasMaterial = true;
      if (key.state === "PendingImport") key.state = "Enabled";
    });
  }

  async #deleteMaterial(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    await this.#steps.both("DeleteImportedKeyMaterial", region, { KeyId: text }, () => {
      const key = this.#model.require(region, id);
      if (!key.isExternal) throw new Expected("UnsupportedOperationException");
      checkState("DeleteImportedKeyMaterial", key);
      key.hasMaterial = false;
      if (key.state === "Enabled" || key.state === "Disabled") key.state = "PendingImport";
    });
  }
}
