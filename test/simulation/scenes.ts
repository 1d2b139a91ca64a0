/** What the tests of upkeep have in common: an account with servers in it, keys that are nobody's, and a look at KMS. */
import type { CallRecord } from "../../src/kms-emulator/index.ts";
import { SimulatedAccount } from "./simulated-account.ts";
import { type ServerOptions, type Settings, SimulatedServer } from "./simulated-server.ts";

export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export const trustDomain = "example.org";
export const tagMode: Settings = { enable_tag_based_key_discovery: true };

/** An account that keeps a journal. */
export const accountWithJournal = (options: ConstructorParameters<typeof SimulatedAccount>[0] = {}): SimulatedAccount =>
  new SimulatedAccount({ journalLimit: 1_000_000, ...options });

/** A configured server. */
export async function startServer(
  account: SimulatedAccount,
  serverId: string,
  settings: Settings = {},
  options: Partial<ServerOptions> = {},
): Promise<SimulatedServer> {
  const server = new SimulatedServer({ account, trustDomain, serverId, settings, ...options });
  await account.time.until(server.configure());
  return server;
}

/** The ARN of a key that the server makes, or makes anew. */
export async function generate(server: SimulatedServer, keyId = "x509-CA-A"): Promise<string> {
  await server.options.account.time.until(server.generate(keyId));
  return arnOf(server, keyId);
}

export function arnOf(server: SimulatedServer, keyId = "x509-CA-A"): string {
  const entry = server.entries.get(keyId);
  if (entry === undefined) throw new Error(`${server.identity} has no ${keyId}`);
  return entry.keyArn;
}

export const aliasOf = (serverId: string, keyId = "x509-CA-A"): string =>
  `alias/SPIRE_SERVER/example_org/${serverId}/${keyId}`;

interface Metadata {
  readonly KeyId: string;
  readonly Arn: string;
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

export async function describeKey(account: SimulatedAccount, KeyId: string): Promise<Metadata> {
  return ((await account.call("DescribeKey", { KeyId })) as { KeyMetadata: Metadata }).KeyMetadata;
}

export const stateOf = async (account: SimulatedAccount, keyId: string): Promise<string> =>
  (await describeKey(account, keyId)).KeyState;

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

/** Log lines of a server at one level, or all, that match. */
export const lines = (server: SimulatedServer, message: RegExp, level?: string) =>
  server.log.filter((line) => message.test(line.message) && (level === undefined || line.level === level));
