/** What an operator does and sees in an account: keys made by hand, a look at keys, aliases and tags, the journal. */
import { createHash } from "node:crypto";
import type { CallRecord } from "../../src/kms-emulator/index.ts";
import type { SimulatedAccount } from "./simulated-account.ts";

export interface Metadata {
  readonly KeyId: string;
  readonly Arn: string;
  readonly KeySpec: string;
  readonly KeyState: string;
  readonly DeletionDate?: Date;
}

/** A key that the operator makes. @returns its ARN */
export async function operatorKey(
  account: SimulatedAccount,
  Description: string,
  AliasName?: string,
  more: object = {},
): Promise<string> {
  const input = { Description, KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", ...more };
  const { KeyMetadata } = (await account.call("CreateKey", input)) as { KeyMetadata: Metadata };
  if (AliasName !== undefined) await account.call("CreateAlias", { AliasName, TargetKeyId: KeyMetadata.KeyId });
  return KeyMetadata.Arn;
}

/** A key that has nothing to do with any server: its description, its alias, its type. */
export type Stranger = readonly [description: string, alias?: string | undefined, keySpec?: string];

/** Adds strangers' keys to the account, which no server may touch. */
export async function addStrangers(account: SimulatedAccount, strangers: readonly Stranger[]): Promise<void> {
  for (const [description, alias, KeySpec = "ECC_NIST_P256"] of strangers) {
    account.strangers.push(await operatorKey(account, description, alias, { KeySpec }));
  }
}

export async function describeKey(account: SimulatedAccount, KeyId: string): Promise<Metadata> {
  return ((await account.call("DescribeKey", { KeyId })) as { KeyMetadata: Metadata }).KeyMetadata;
}

export const stateOf = async (account: SimulatedAccount, keyId: string): Promise<string> =>
  (await describeKey(account, keyId)).KeyState;

/** All keys of the account. */
export async function keysOf(account: SimulatedAccount): Promise<readonly Metadata[]> {
  const { Keys } = (await account.call("ListKeys", { Limit: 1000 })) as { Keys: readonly { KeyId: string }[] };
  return Promise.all(Keys.map(({ KeyId }) => describeKey(account, KeyId)));
}

/** Aliases with their targets' ids. */
export async function aliases(account: SimulatedAccount): Promise<ReadonlyMap<string, string>> {
  const { Aliases } = (await account.call("ListAliases", { Limit: 100 })) as {
    Aliases: readonly { AliasName: string; TargetKeyId: string }[];
  };
  return new Map(Aliases.map(({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId]));
}

export async function tagsOf(account: SimulatedAccount, KeyId: string): Promise<ReadonlyMap<string, string>> {
  const { Tags } = (await account.call("ListResourceTags", { KeyId })) as {
    Tags: readonly { TagKey: string; TagValue: string }[];
  };
  return new Map(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
}

/** Hex SHA-256. */
export const fingerprintOf = (pkixData: Uint8Array): string => createHash("sha256").update(pkixData).digest("hex");

/** A public key as KMS has it, and its fingerprint. */
export async function publicKeyOf(
  account: SimulatedAccount,
  KeyId: string,
): Promise<{ readonly pkixData: Uint8Array; readonly fingerprint: string }> {
  const { PublicKey: pkixData } = (await account.call("GetPublicKey", { KeyId })) as { PublicKey: Uint8Array };
  return { pkixData, fingerprint: fingerprintOf(pkixData) };
}

/** The members of inputs that tests ask for. */
export interface Input {
  readonly KeyId?: string;
  readonly TargetKeyId?: string;
  readonly AliasName?: string;
  readonly Marker?: string;
  readonly PaginationToken?: string;
}

/** The journal's calls of an operation since it was cleared. */
export function callsOf(account: SimulatedAccount, operation: string): readonly (CallRecord & { input: Input })[] {
  return account.control
    .journal()
    .filter((call): call is CallRecord & { input: Input } => call.operation === operation);
}

/** Walks over all aliases or all keys of the account: their first pages. */
export const walksOf = (account: SimulatedAccount, operation: "ListAliases" | "ListKeys") =>
  callsOf(account, operation).filter(({ input }) => input.KeyId === undefined && input.Marker === undefined);

/** Calls by operation. */
export function counts(account: SimulatedAccount): Readonly<Record<string, number>> {
  const found: Record<string, number> = {};
  for (const { operation } of account.control.journal()) found[operation] = (found[operation] ?? 0) + 1;
  return found;
}
