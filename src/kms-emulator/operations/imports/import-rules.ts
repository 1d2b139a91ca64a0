/** What the operations on imported key material ask of a key, and how that material is named. */
import { createHash } from "node:crypto";
import { AwsException } from "../../exceptions.ts";
import { arnOf, type KeyRecord } from "../../state/records.ts";

/** Throws for a key that KMS has made the material of. */
export function requireImportable(key: KeyRecord): void {
  if (key.origin === "EXTERNAL") return;
  throw new AwsException(
    "UnsupportedOperationException",
    `${arnOf(key)} origin is AWS_KMS which is not valid for this operation.`,
  );
}

/** The same material has the same id in one key, in all of its Regions, and another in another key. */
export const materialIdFor = (key: KeyRecord, material: Uint8Array): string =>
  createHash("sha256").update(`${key.account}/${key.keyId}\n`).update(material).digest("hex");
