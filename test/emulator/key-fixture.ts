/** Keys in every state, for tests. */
import {
  CreateAliasCommand,
  CreateKeyCommand,
  type CreateKeyCommandInput,
  DisableKeyCommand,
  type KeyMetadata,
  type KMSClient,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  UpdatePrimaryRegionCommand,
} from "@aws-sdk/client-kms";
import type { KeyState } from "../../src/kms-emulator/state/records.ts";
import { anyCredentials, type Fixture, present } from "./fixture.ts";

/** A key's metadata with the members that are always there. */
export type Key = KeyMetadata & { readonly KeyId: string; readonly Arn: string };

export async function createKey(kms: KMSClient, input: Partial<CreateKeyCommandInput> = {}): Promise<Key> {
  const spec = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;
  const { KeyMetadata } = await kms.send(new CreateKeyCommand({ ...spec, ...input }));
  const metadata = present(KeyMetadata);
  return { ...metadata, KeyId: present(metadata.KeyId), Arn: present(metadata.Arn) };
}

export async function createAlias(kms: KMSClient, name: string, key: Key): Promise<void> {
  await kms.send(new CreateAliasCommand({ AliasName: name, TargetKeyId: key.KeyId }));
}

export const replicaRegion = "eu-west-1";

/** Longer than Creating and Updating last. */
export const transitionMs = 2_000;

/**
 * A key in any of the states of the state table, and the client of its Region. The clock stands still, so Creating and
 * Updating last. The Creating one is a replica in {@link replicaRegion}; the Updating one was the primary until now.
 */
export async function keyInState(
  fixture: Fixture,
  state: KeyState,
  input: Partial<CreateKeyCommandInput> = {},
): Promise<{ key: Key; home: KMSClient }> {
  const { kms, emulator } = fixture;
  if (state === "PendingImport") return { key: await createKey(kms, { Origin: "EXTERNAL", ...input }), home: kms };
  const isMultiRegion = state === "Creating" || state === "Updating" || state === "PendingReplicaDeletion";
  const key = await createKey(kms, { MultiRegion: isMultiRegion, ...input });
  const { KeyId } = key;
  if (state === "Disabled") await kms.send(new DisableKeyCommand({ KeyId }));
  const replica = isMultiRegion
    ? (await kms.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion: replicaRegion }))).ReplicaKeyMetadata
    : undefined;
  if (state === "PendingDeletion" || state === "PendingReplicaDeletion") {
    await kms.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  }
  if (state === "Updating") {
    emulator.control.advance(transitionMs);
    await kms.send(new UpdatePrimaryRegionCommand({ KeyId, PrimaryRegion: replicaRegion }));
  }
  if (state !== "Creating") return { key, home: kms };
  return { key: { ...key, Arn: present(replica?.Arn) }, home: fixture.kmsFor(anyCredentials, replicaRegion) };
}
