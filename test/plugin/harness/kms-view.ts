import { createHash } from "node:crypto";
import type {
  CallRecord,
  Emulator,
  Fault,
  FaultHandle,
  PauseHandle,
  PauseRule,
} from "../../../src/kms-emulator/index.ts";

/** A key as KMS itself shows it. */
export interface KeyView {
  readonly keyId: string;
  readonly arn: string;
  readonly description: string;
  readonly spec: string;
  readonly state: string;
  readonly creationDate: Date;
  readonly deletionDate: Date | undefined;
  readonly aliases: readonly string[];
  /** Hex SHA-256 of the public key; empty for a key that does not show it (disabled, pending deletion). */
  readonly fingerprint: string;
}

const callTimeoutMs = 120_000;

interface Metadata {
  readonly Arn: string;
  readonly Description: string;
  readonly KeySpec: string;
  readonly KeyState: string;
  readonly CreationDate: Date;
  readonly DeletionDate?: Date;
}

/** What a ScheduleKeyDeletion asked for; KMS takes a key's id and its ARN alike. */
export function deletionOf({ input }: CallRecord): { readonly keyId: string; readonly days: unknown } {
  const { KeyId, PendingWindowInDays } = Object(input) as { KeyId: string; PendingWindowInDays: unknown };
  return { keyId: KeyId.slice(KeyId.lastIndexOf("/") + 1), days: PendingWindowInDays };
}

/** KMS seen and disturbed from outside. Faults and pauses hit the plugin's calls only, and only they are counted. */
export class KmsView {
  readonly #emulator: Emulator;

  constructor(emulator: Emulator) {
    this.#emulator = emulator;
  }

  /** An operator's call. */
  async call<T = unknown>(operation: string, input: object): Promise<T> {
    return (await this.#emulator.control.callByName(operation, input)) as T;
  }

  /** The plugin's calls so far. */
  calls(...operations: readonly string[]): readonly CallRecord[] {
    const records = this.#emulator.control.journal().filter(({ caller }) => isPlugin(caller));
    return operations.length === 0 ? records : records.filter(({ operation }) => operations.includes(operation));
  }

  forgetCalls(): void {
    this.#emulator.control.clearJournal();
  }

  fault(fault: Fault): FaultHandle {
    const { match } = fault;
    return this.#emulator.control.addFault({
      ...fault,
      match: (input, caller) => isPlugin(caller) && (match === undefined || match(input, caller)),
    });
  }

  clearFaults(): void {
    this.#emulator.control.clearFaults();
  }

  /** `reached` rejects when the plugin makes no such call in good time. */
  pause(rule: PauseRule): PauseHandle {
    const { match } = rule;
    const { reached, release } = this.#emulator.control.pause({
      ...rule,
      match: (input, caller) => isPlugin(caller) && (match === undefined || match(input, caller)),
    });
    const missing = new Error(`the plugin did not call ${rule.operation} within ${callTimeoutMs} ms`);
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(missing), callTimeoutMs).unref();
    });
    const inTime = Promise.race([reached, late]).finally(() => clearTimeout(timer));
    inTime.catch(() => undefined); // it need not be waited for
    return {
      reached: inTime,
      release() {
        clearTimeout(timer);
        release();
      },
    };
  }

  /** Resolves once such a call of the plugin has taken effect. Ask before what sets it off. */
  async done(operation: string, match?: PauseRule["match"]): Promise<CallRecord> {
    const pause = this.pause({ operation, when: "after", ...(match === undefined ? {} : { match }) });
    const record = await pause.reached;
    pause.release();
    return record;
  }

  /** All keys of the account, oldest first. */
  async keys(): Promise<readonly KeyView[]> {
    interface Page {
      Keys: readonly { KeyId: string }[];
    }
    const { Keys } = await this.call<Page>("ListKeys", { Limit: 1000 });
    const keys = await Promise.all(Keys.map(({ KeyId }) => this.key(KeyId)));
    return keys.sort((a, b) => a.creationDate.getTime() - b.creationDate.getTime());
  }

  async key(id: string): Promise<KeyView> {
    const { KeyMetadata: key } = await this.call<{ KeyMetadata: Metadata }>("DescribeKey", { KeyId: id });
    interface Aliases {
      Aliases: readonly { AliasName: string }[];
    }
    const { Aliases } = await this.call<Aliases>("ListAliases", { KeyId: key.Arn, Limit: 100 });
    return {
      keyId: key.Arn.slice(key.Arn.lastIndexOf("/") + 1),
      arn: key.Arn,
      description: key.Description,
      spec: key.KeySpec,
      state: key.KeyState,
      creationDate: key.CreationDate,
      deletionDate: key.DeletionDate,
      aliases: Aliases.map(({ AliasName }) => AliasName),
      fingerprint: key.KeyState === "Enabled" ? await this.#fingerprint(key.Arn) : "",
    };
  }

  /** The one key behind an alias of this server's key id. */
  async keyBehind(serverId: string, keyId: string, trustDomain = "example_org"): Promise<KeyView> {
    return this.key(`alias/SPIRE_SERVER/${trustDomain}/${serverId}/${keyId}`);
  }

  async #fingerprint(arn: string): Promise<string> {
    const { PublicKey } = await this.call<{ PublicKey: Uint8Array }>("GetPublicKey", { KeyId: arn });
    return createHash("sha256").update(PublicKey).digest("hex");
  }
}

/** Every access key that tests give to the plugin; an operator's calls have none. */
const isPlugin = ({ accessKeyId }: { accessKeyId: string | undefined }): boolean => accessKeyId !== undefined;
