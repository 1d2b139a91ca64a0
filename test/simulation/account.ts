/** One AWS account in virtual time: the embedded KMS, its falsified answers, and strangers' keys in it. */
import { createHash } from "node:crypto";
import { createEngine, type EmulatorControl, manualClock } from "../../src/kms-emulator/index.ts";
import { VirtualTime } from "./virtual-time.ts";

export type Falsification =
  | "wrong signature"
  | "other key's signature"
  | "public key of another type"
  | "other public key";

/** A call that took effect. */
export type OnEffect = (operation: string, input: Readonly<Record<string, unknown>>, output: unknown) => void;

export const fingerprintOf = (pkixData: Uint8Array): string => createHash("sha256").update(pkixData).digest("hex");

const callerArn = "arn:aws:sts::111122223333:assumed-role/spire-server/i-0123456789";

const specs = ["ECC_NIST_P256", "ECC_NIST_P384"] as const;

export interface KeyMetadata {
  readonly KeyId: string;
  readonly Arn: string;
  readonly Description: string;
  readonly KeyState: string;
  readonly KeySpec: string;
}

export class Account {
  readonly control: EmulatorControl;
  readonly time: VirtualTime;
  onEffect: OnEffect = () => undefined;
  readonly #strangers: string[] = [];

  constructor() {
    const identities = [{ accessKeyId: "AKIASPIRESERVER00001", arn: callerArn }];
    this.control = createEngine({
      clock: manualClock(Date.UTC(2026, 0, 1)),
      journalLimit: 0,
      awsManagedAliases: false,
      identities,
    }).control;
    this.time = new VirtualTime(this.control);
    // So that the past is remembered.
    this.control.addFault({ kind: "consistency-lag", ms: 5_000, operation: "None" });
  }

  /** Keys that have nothing to do with this server, some of them with names that look as if they had. */
  async addStrangers(): Promise<void> {
    const strangers = [
      ["billing", "alias/billing"],
      ["SPIRE_SERVER/example.organic", "alias/SPIRE_SERVER/example_organic/server/x509-CA-A"],
      ["SPIRE_SERVER/example.organic", undefined],
      ["SPIRE_SERVER/other.org", undefined],
    ] as const;
    for (const [index, [Description, AliasName]] of strangers.entries()) {
      const KeySpec = specs[index % 2] ?? specs[0];
      const { Arn } = await this.createKey({ Description, KeySpec });
      this.#strangers.push(Arn);
      if (AliasName !== undefined) await this.operate("CreateAlias", { AliasName, TargetKeyId: Arn });
    }
  }

  get strangers(): readonly string[] {
    return this.#strangers;
  }

  async createKey(input: object): Promise<KeyMetadata> {
    const output = await this.operate("CreateKey", { KeyUsage: "SIGN_VERIFY", ...input });
    return (output as { KeyMetadata: KeyMetadata }).KeyMetadata;
  }

  /** An operator's call, or a look at the truth. */
  operate(operation: string, input: object): Promise<unknown> {
    return this.control.call(operation, input);
  }

  /** A server's call. */
  async call(operation: string, input: object): Promise<unknown> {
    const output = await this.control.call(operation, input, { identity: { arn: callerArn } });
    this.onEffect(operation, input as Readonly<Record<string, unknown>>, output);
    return output;
  }

  /** A read that sees the state of a while ago. */
  async callInThePast(operation: string, input: object, lagMs: number): Promise<unknown> {
    const ms = Math.min(lagMs, 5_000);
    const lag = this.control.addFault({ kind: "consistency-lag", ms, operation, match: (given) => given === input });
    try {
      return await this.call(operation, input);
    } finally {
      lag.remove();
    }
  }

  /** The call, and an answer that is not KMS's. */
  async callFalsified(operation: string, input: object, falsification: Falsification): Promise<unknown> {
    const output = await this.call(operation, input);
    if (falsification === "wrong signature") {
      const signature = Uint8Array.from((output as { Signature: Uint8Array }).Signature);
      signature[signature.length - 1] = (signature[signature.length - 1] ?? 0) ^ 1;
      return { ...(output as object), Signature: signature };
    }
    const { KeyId } = output as { KeyId: string };
    const { KeyMetadata } = (await this.operate("DescribeKey", { KeyId })) as { KeyMetadata: KeyMetadata };
    const sameType = falsification !== "public key of another type";
    const spec = specs.find((one) => (one === KeyMetadata.KeySpec) === sameType) ?? specs[0];
    const KeyIdOfOther = this.#strangers[specs.indexOf(spec)] ?? "";
    const other = (await this.operate(operation, { ...input, KeyId: KeyIdOfOther })) as object;
    return { ...other, KeyId };
  }

  async keys(): Promise<readonly KeyMetadata[]> {
    const { Keys } = (await this.operate("ListKeys", { Limit: 1000 })) as { Keys: readonly { KeyId: string }[] };
    return Promise.all(Keys.map(({ KeyId }) => this.key(KeyId)));
  }

  async key(keyId: string): Promise<KeyMetadata> {
    return ((await this.operate("DescribeKey", { KeyId: keyId })) as { KeyMetadata: KeyMetadata }).KeyMetadata;
  }

  async aliases(): Promise<ReadonlyMap<string, string>> {
    interface Entry {
      readonly AliasName: string;
      readonly TargetKeyId: string;
    }
    const { Aliases } = (await this.operate("ListAliases", { Limit: 100 })) as { Aliases: readonly Entry[] };
    return new Map(Aliases.map(({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId]));
  }

  async publicKey(keyId: string): Promise<Uint8Array> {
    return ((await this.operate("GetPublicKey", { KeyId: keyId })) as { PublicKey: Uint8Array }).PublicKey;
  }
}
