/** The operators of a life: hands in the console that know nothing of the servers, and some that know too much. */
import { keysOf, type Metadata, operatorKey } from "../operator.ts";
import { aliasNameOf } from "../oracle/spelling.ts";
import type { SimulatedAccount } from "../simulated-account.ts";
import { keyIds, type ServerPlan } from "./fleet-plan.ts";
import { descriptions, makes, type OperatorStep } from "./lives-plan.ts";

export class LiveOperator {
  readonly #account: SimulatedAccount;
  readonly #made: string[] = [];
  readonly #moved: { readonly aliasName: string; readonly from: string }[] = [];
  #names = 0;

  constructor(account: SimulatedAccount) {
    this.#account = account;
  }

  /** What KMS refuses is not done. */
  async take(step: OperatorStep, plan: ServerPlan): Promise<void> {
    try {
      await this.#take(step, plan);
    } catch {
      // An alias that stands already, a key that is pending deletion: the console says so.
    }
  }

  /** What an operator has disabled is in order again in the end. */
  async enableAll(): Promise<void> {
    for (const { Arn, KeyState } of await keysOf(this.#account)) {
      if (KeyState === "Disabled") await this.#account.call("EnableKey", { KeyId: Arn });
    }
  }

  async #take(step: OperatorStep, plan: ServerPlan): Promise<void> {
    const account = this.#account;
    switch (step.kind) {
      case "make a key":
        this.#made.push(await this.#make(step, plan));
        return;
      case "move our alias":
        return this.#moveAlias(aliasNameOf(plan.trustDomain, plan.serverId, keyIds[step.keyIndex] ?? ""), step.key);
      case "move it back":
        return this.#moveBack();
      default: {
        const key = await this.#pick(step.key);
        if (key !== undefined) await actOn(account, key, step, plan.trustDomain, () => this.#names++);
      }
    }
  }

  async #make(step: Extract<OperatorStep, { kind: "make a key" }>, { trustDomain }: ServerPlan): Promise<string> {
    const serverId = `retired-${this.#names++}`;
    const tags = {
      "spire-server-td": trustDomain,
      "spire-server-id": serverId,
      "spire-key-id": keyIds[0],
      "spire-active": "true",
      "spire-last-update": String(Math.floor(this.#account.control.now().getTime() / 1_000)),
    };
    const Tags = Object.entries(tags).map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const aliasName = {
      none: undefined,
      "a user's": `alias/user-${serverId}`,
      "a server's that runs no more": aliasNameOf(trustDomain, serverId, keyIds[0]),
      "the kms plugin's": "alias/SERVER_A/x509-CA-A",
    }[step.alias];
    const more = { ...makes[step.make], ...(step.isTagged ? { Tags } : {}) };
    const keyArn = await operatorKey(this.#account, descriptions[step.description](trustDomain), aliasName, more);
    if (step.make === "multi-Region, with a replica") await replicate(this.#account, keyArn);
    return keyArn;
  }

  /** Onto a key that an operator has made. */
  async #moveAlias(AliasName: string, index: number): Promise<void> {
    const TargetKeyId = this.#made[index % Math.max(1, this.#made.length)];
    if (TargetKeyId === undefined) return;
    const { KeyMetadata } = (await this.#account.call("DescribeKey", { KeyId: AliasName })) as {
      KeyMetadata: Metadata;
    };
    await this.#account.call("UpdateAlias", { AliasName, TargetKeyId });
    this.#moved.push({ aliasName: AliasName, from: KeyMetadata.Arn });
  }

  async #moveBack(): Promise<void> {
    const moved = this.#moved.pop();
    if (moved === undefined) return;
    await this.#account.call("UpdateAlias", { AliasName: moved.aliasName, TargetKeyId: moved.from });
  }

  async #pick(index: number): Promise<Metadata | undefined> {
    const keys = await keysOf(this.#account);
    return keys[index % Math.max(1, keys.length)];
  }
}

const replicate = (account: SimulatedAccount, KeyId: string): Promise<unknown> =>
  account.call("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" });

async function actOn(
  account: SimulatedAccount,
  { Arn: KeyId, KeyId: TargetKeyId }: Metadata,
  step: Exclude<OperatorStep, { kind: "make a key" | "move our alias" | "move it back" }>,
  trustDomain: string,
  nextName: () => number,
): Promise<void> {
  switch (step.kind) {
    case "put an alias on":
      await account.call("CreateAlias", { AliasName: `alias/user-${nextName()}`, TargetKeyId });
      return;
    case "take an alias off": {
      const { Aliases } = (await account.call("ListAliases", { KeyId: TargetKeyId })) as {
        Aliases: readonly { AliasName: string }[];
      };
      const [alias] = Aliases;
      if (alias?.AliasName.startsWith("alias/user-")) await account.call("DeleteAlias", alias);
      return;
    }
    case "tag":
      await account.call("TagResource", { KeyId, Tags: [{ TagKey: step.tag, TagValue: step.value }] });
      return;
    case "untag":
      await account.call("UntagResource", { KeyId, TagKeys: ["spire-last-update", "spire-key-id"] });
      return;
    case "use": {
      const Message = new Uint8Array(32);
      await account.call("Sign", { KeyId, Message, MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" });
      return;
    }
    case "disable":
      await account.call("DisableKey", { KeyId });
      return;
    case "enable":
      await account.call("EnableKey", { KeyId });
      return;
    case "cancel the deletion":
      await account.call("CancelKeyDeletion", { KeyId });
      return;
    case "replicate":
      await replicate(account, KeyId);
      return;
    case "describe anew": {
      const Description = descriptions[step.description](trustDomain);
      await account.call("UpdateKeyDescription", { KeyId, Description });
    }
  }
}
