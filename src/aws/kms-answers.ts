/** KMS's answers as the domain's shapes. */
import type {
  AliasListEntry,
  KeyLastUsage,
  KeyListEntry,
  KeyMetadata,
  MultiRegionMetadata,
  PublicKeyOutput,
  Receipt,
} from "../key-manager/ports.ts";
import { Answer } from "./calls/answer.ts";
import { requestIdOf } from "./calls/answer-head.ts";
import type { PageAnswer } from "./calls/pages.ts";

/** KMS takes an id as well as an ARN; moto takes only the id for what changes a key's state, and the key is in our own account. */
export const bareKeyId = (keyId: string): string => keyId.replace(/^arn:[^/]*:key\//, "");

/** An answer about another key than the one that was asked about is none. An alias may stand on any key. */
function requireKey(answer: Answer, asked: string, answered: string): void {
  const isAlias = asked.startsWith("alias/") || asked.includes(":alias/");
  if (isAlias || bareKeyId(asked) === bareKeyId(answered)) return;
  throw answer.malformed(`the answer is about ${answered} and not about ${asked}`);
}

/** @param asked the key that was asked about; undefined for a new one */
export function keyMetadataFrom(operation: string, output: unknown, asked?: string): KeyMetadata {
  return metadataFrom(new Answer(operation, output).object("KeyMetadata"), asked);
}

/** @param asked the primary: the replica has its id */
export const replicaMetadataFrom = (output: unknown, asked: string): KeyMetadata =>
  metadataFrom(new Answer("ReplicateKey", output).object("ReplicaKeyMetadata"), asked);

function metadataFrom(metadata: Answer, asked: string | undefined): KeyMetadata {
  const arn = metadata.text("Arn");
  if (asked !== undefined) requireKey(metadata, asked, arn);
  return {
    keyId: metadata.text("KeyId"),
    arn,
    description: metadata.optionalText("Description") ?? "",
    keySpec: metadata.text(metadata.has("KeySpec") ? "KeySpec" : "CustomerMasterKeySpec"),
    keyUsage: metadata.text("KeyUsage"),
    keyState: metadata.text("KeyState"),
    creationDate: metadata.optionalDate("CreationDate"),
    deletionDate: metadata.optionalDate("DeletionDate"),
    origin: metadata.optionalText("Origin"),
    customKeyStoreId: metadata.optionalText("CustomKeyStoreId"),
    multiRegion: metadata.has("MultiRegionConfiguration")
      ? multiRegionFrom(metadata.object("MultiRegionConfiguration"))
      : undefined,
  };
}

function multiRegionFrom(configuration: Answer): MultiRegionMetadata {
  const replicas = configuration.has("ReplicaKeys") ? configuration.list("ReplicaKeys") : [];
  return {
    isReplica: configuration.text("MultiRegionKeyType") === "REPLICA",
    primaryRegion: configuration.has("PrimaryKey")
      ? configuration.object("PrimaryKey").optionalText("Region")
      : undefined,
    replicaRegions: replicas.map((replica) => replica.text("Region")),
  };
}

export function publicKeyFrom(output: unknown, asked: string): PublicKeyOutput {
  const answer = new Answer("GetPublicKey", output);
  const keyArn = answer.text("KeyId");
  requireKey(answer, asked, keyArn);
  return {
    keyArn,
    keySpec: answer.optionalText("KeySpec") ?? answer.optionalText("CustomerMasterKeySpec"),
    pkixData: answer.bytes("PublicKey"),
  };
}

export function signatureFrom(output: unknown, asked: string): Uint8Array {
  const answer = new Answer("Sign", output);
  const keyId = answer.optionalText("KeyId");
  if (keyId !== undefined) requireKey(answer, asked, keyId);
  return answer.bytes("Signature");
}

/** A key with replicas that are not deleted yet has no date. */
export function deletionDateFrom(output: unknown, asked: string): Date | undefined {
  const answer = new Answer("ScheduleKeyDeletion", output);
  requireKey(answer, asked, answer.text("KeyId"));
  return answer.optionalDate("DeletionDate");
}

/** For the log only: what is done is never lost for want of it. */
export const receiptOf = (output: unknown): Receipt => receiptFrom(requestIdOf(output));

/** @param id as it came */
export function receiptFrom(id: unknown): Receipt {
  return { requestId: typeof id === "string" ? id.replace(/[^\w-]/g, "").slice(0, 100) : undefined };
}

function aliasFrom(alias: Answer): AliasListEntry {
  return {
    aliasName: alias.text("AliasName"),
    aliasArn: alias.optionalText("AliasArn"),
    targetKeyId: alias.optionalText("TargetKeyId"),
    creationDate: alias.optionalDate("CreationDate"),
    lastUpdatedDate: alias.optionalDate("LastUpdatedDate"),
  };
}

export const aliasesFrom = (output: unknown): PageAnswer<AliasListEntry> =>
  pageFrom(new Answer("ListAliases", output), "Aliases", aliasFrom);

export const keysFrom = (output: unknown): PageAnswer<KeyListEntry> =>
  pageFrom(new Answer("ListKeys", output), "Keys", (key) => ({
    keyId: key.text("KeyId"),
    keyArn: key.text("KeyArn"),
  }));

function pageFrom<T>(answer: Answer, list: string, item: (member: Answer) => T): PageAnswer<T> {
  const next = answer.optionalText("NextMarker");
  // Half a listing must not pass for the whole.
  if (answer.isTrue("Truncated") && !next) throw answer.malformed("the answer is truncated and has no NextMarker");
  return { items: answer.list(list).map(item), next };
}

/** A key that was not used has an empty `KeyLastUsage`. */
export function lastUsageFrom(output: unknown, asked: string): KeyLastUsage {
  const answer = new Answer("GetKeyLastUsage", output);
  const keyId = answer.optionalText("KeyId");
  if (keyId !== undefined) requireKey(answer, asked, keyId);
  return {
    lastUsedAt: answer.has("KeyLastUsage") ? answer.object("KeyLastUsage").optionalDate("Timestamp") : undefined,
  };
}
