/** Which keys can be rotated, and how. */
import { createSymmetricMaterial, storeMaterial } from "../../crypto/key-material.ts";
import { AwsException } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import { arnOf, type KeyRecord } from "../../state/records.ts";
import { rotate } from "../../state/rotate.ts";

export const defaultPeriodInDays = 365;

export const unsupportedOrigin = (key: KeyRecord): AwsException =>
  new AwsException(
    "UnsupportedOperationException",
    `${arnOf(key)} origin is ${key.origin ?? "AWS_KMS"} which is not valid for this operation.`,
  );

/** Throws for keys that are never rotated: without any message, as AWS does. */
export function requireSymmetric(key: KeyRecord): void {
  if (key.spec !== "SYMMETRIC_DEFAULT") throw new AwsException("UnsupportedOperationException");
}

/** Throws for keys that AWS does not rotate by itself. */
export function requireRotatable(key: KeyRecord): void {
  requireSymmetric(key);
  if (key.origin === "EXTERNAL") throw unsupportedOrigin(key);
}

/** Related multi-Region keys rotate with their primary. */
export function requireNoReplica(context: OperationContext, key: KeyRecord): void {
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  if (set === undefined || set.primaryRegion === key.region) return;
  throw new AwsException("UnsupportedOperationException", `${arnOf(key)} is not a multi-region primary key.`);
}

/** The key as it is now and, if it is a primary, its replicas. */
export function membersOf(context: OperationContext, key: KeyRecord): KeyRecord[] {
  const present = context.viewOf(key.account, key.region).currentKey(key.keyId) ?? key;
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  const replicas = (set?.primaryRegion === key.region ? set.replicaRegions : []).flatMap(
    (region) => context.viewOf(key.account, region).currentKey(key.keyId) ?? [],
  );
  return [present, ...replicas];
}

export function rotateNow(context: OperationContext, key: KeyRecord, type: "AUTOMATIC" | "ON_DEMAND"): void {
  const material = storeMaterial(createSymmetricMaterial(context.random));
  context.commit(...rotate(membersOf(context, key), material, context.clock(), type));
}

/** A key that was not Enabled when its rotation fell due is rotated when it is enabled again. */
export function rotateIfDue(context: OperationContext, key: KeyRecord): void {
  const set = key.isMultiRegion ? context.view.multiRegionSet(key.keyId) : undefined;
  if (set && set.primaryRegion !== key.region) return;
  if (key.rotation && key.rotation.nextAtMs <= context.clock()) rotateNow(context, key, "AUTOMATIC");
}
