import { kmsErrorFrom } from "../../src/aws/calls/aws-error.ts";
import type { MigrationContext } from "../../src/key-manager/migration/migration.ts";
import type { AliasListEntry, KeyListEntry, KeyMetadata, KmsClient, Page } from "../../src/key-manager/ports.ts";
import { AwsException, createEngine, type EmulatorControl, manualClock } from "../../src/kms-emulator/index.ts";

interface WireKey {
  readonly KeyId: string;
  readonly Arn: string;
  readonly Description: string;
  readonly KeySpec: string;
  readonly KeyUsage: string;
  readonly KeyState: string;
  readonly Origin: string;
  readonly CreationDate: Date;
  readonly DeletionDate?: Date;
}

interface WireAliases {
  readonly Aliases: readonly {
    readonly AliasName: string;
    readonly AliasArn: string;
    readonly TargetKeyId?: string;
    readonly CreationDate?: Date;
    readonly LastUpdatedDate?: Date;
  }[];
  readonly NextMarker?: string;
}

interface WireKeys {
  readonly Keys: readonly { readonly KeyId: string; readonly KeyArn: string }[];
  readonly NextMarker?: string;
}

/** Where a client stops for good, as a process does that is killed. */
export interface StopAt {
  /** 1 = the first call. */
  readonly call: number;
  /** Before KMS has done it, or before the answer is heard. */
  readonly when: "before" | "after";
}

export interface ClientOptions {
  readonly stopAt?: StopAt | undefined;
  /** What another process does right before a call takes effect. */
  readonly meddle?: (operation: string, input: object) => Promise<void>;
}

export interface AccountClient {
  readonly kms: MigrationContext["kms"] & Pick<KmsClient, "listKeys">;
  /** Resolves when the client has stopped for good. */
  readonly stopped: Promise<void>;
  readonly calls: () => number;
}

const never = () => new Promise<never>(() => undefined);

/** An account in memory whose time is moved by hand. */
export class Account {
  readonly control: EmulatorControl;

  constructor(start = new Date("2026-11-01T00:00:00Z")) {
    this.control = createEngine({ region: "us-east-2", clock: manualClock(start) }).control;
  }

  get now(): Date {
    return this.control.now();
  }

  async call<T = unknown>(operation: string, input: object): Promise<T> {
    return (await this.control.callByName(operation, input)) as T;
  }

  async aliases(): Promise<readonly AliasListEntry[]> {
    const aliases: AliasListEntry[] = [];
    for await (const { items } of this.client().kms.listAliases()) aliases.push(...items);
    return aliases.filter(({ aliasName }) => !aliasName.startsWith("alias/aws/"));
  }

  async keys(): Promise<readonly KeyMetadata[]> {
    const { Keys } = await this.call<{ Keys: readonly { KeyId: string }[] }>("ListKeys", { Limit: 1000 });
    return Promise.all(Keys.map(({ KeyId }) => this.client().kms.describeKey(KeyId)));
  }

  client({ stopAt, meddle }: ClientOptions = {}): AccountClient {
    let calls = 0;
    let stop: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const call = async <T>(operation: string, input: object): Promise<T> => {
      calls += 1;
      const isLast = calls === stopAt?.call;
      if (isLast && stopAt.when === "before") {
        stop();
        return never();
      }
      await meddle?.(operation, input);
      const answer = await this.call<T>(operation, input).catch((error: unknown) => {
        throw error instanceof AwsException ? kmsErrorFrom(operation, sdkError(error)) : error;
      });
      if (!isLast) return answer;
      stop();
      return never();
    };
    return { kms: clientOver(call, () => this.now), stopped, calls: () => calls };
  }
}

/** As the SDK throws it. */
const sdkError = ({ code, message, status }: AwsException) =>
  Object.assign(new Error(message), { name: code, $fault: "client", $metadata: { httpStatusCode: status } });

type Call = <T>(operation: string, input: object) => Promise<T>;

function clientOver(call: Call, now: () => Date): AccountClient["kms"] {
  return {
    async describeKey(KeyId) {
      const { KeyMetadata } = await call<{ KeyMetadata: WireKey }>("DescribeKey", { KeyId });
      return metadataFrom(KeyMetadata);
    },
    async getPublicKey(KeyId) {
      const answer = await call<{ KeyId: string; KeySpec: string; PublicKey: Uint8Array }>("GetPublicKey", { KeyId });
      return { keyArn: answer.KeyId, keySpec: answer.KeySpec, pkixData: answer.PublicKey };
    },
    async *listAliases(KeyId): AsyncGenerator<Page<AliasListEntry>> {
      let Marker: string | undefined;
      do {
        const { Aliases, NextMarker }: WireAliases = await call("ListAliases", { KeyId, Marker, Limit: 100 });
        yield { items: Aliases.map(aliasFrom), serverTime: now() };
        Marker = NextMarker;
      } while (Marker !== undefined);
    },
    async *listKeys(): AsyncGenerator<Page<KeyListEntry>> {
      let Marker: string | undefined;
      do {
        const { Keys, NextMarker }: WireKeys = await call("ListKeys", { Marker, Limit: 1000 });
        yield { items: Keys.map(({ KeyId, KeyArn }) => ({ keyId: KeyId, keyArn: KeyArn })), serverTime: now() };
        Marker = NextMarker;
      } while (Marker !== undefined);
    },
    createAlias: (AliasName, TargetKeyId) => call("CreateAlias", { AliasName, TargetKeyId }),
    updateAlias: (AliasName, TargetKeyId) => call("UpdateAlias", { AliasName, TargetKeyId }),
    deleteAlias: (AliasName) => call("DeleteAlias", { AliasName }),
  };
}

const metadataFrom = (key: WireKey): KeyMetadata => ({
  keyId: key.KeyId,
  arn: key.Arn,
  description: key.Description,
  keySpec: key.KeySpec,
  keyUsage: key.KeyUsage,
  keyState: key.KeyState,
  creationDate: key.CreationDate,
  deletionDate: key.DeletionDate,
  origin: key.Origin,
});

const aliasFrom = (alias: WireAliases["Aliases"][number]): AliasListEntry => ({
  aliasName: alias.AliasName,
  aliasArn: alias.AliasArn,
  targetKeyId: alias.TargetKeyId,
  creationDate: alias.CreationDate,
  lastUpdatedDate: alias.LastUpdatedDate,
});
