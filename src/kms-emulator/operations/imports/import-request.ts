/** Reads what an import brings: token, wrapped material, expiration. */
import { readMaterial } from "../../crypto/imports/read-material.ts";
import { unwrapMaterial } from "../../crypto/imports/unwrap.ts";
import type { KeyMaterial } from "../../crypto/key-material.ts";
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { ImportKeyMaterialRequest } from "../../model/kms-types.gen.ts";
import { dayMs, type ImportTokenRecord, type KeyRecord } from "../../state/records.ts";
import { materialIdFor } from "./import-rules.ts";

/** Members that only symmetric encryption keys take. Text [I]. */
export function requireOptionsForSpec(key: KeyRecord, input: ImportKeyMaterialRequest): void {
  if (key.spec === "SYMMETRIC_DEFAULT") return;
  const given = (["ImportType", "KeyMaterialDescription", "KeyMaterialId"] as const).find((name) => input[name]);
  if (given !== undefined) throw invalid(`${given} is valid for symmetric encryption keys only.`);
}

/** When the material expires, if ever. The first text is another emulator's [L], the others are ours [I]. */
export function readExpiration(
  context: OperationContext,
  model: string,
  validTo: Date | undefined,
): number | undefined {
  if (model !== "KEY_MATERIAL_EXPIRES") {
    if (validTo === undefined) return undefined;
    throw invalid("A validTo date must not be set if the ExpirationModel is KEY_MATERIAL_DOES_NOT_EXPIRE");
  }
  if (validTo === undefined) {
    throw invalid("A validTo date must be set if the ExpirationModel is KEY_MATERIAL_EXPIRES");
  }
  const inMs = validTo.getTime() - context.clock();
  if (inMs <= 0) throw invalid("The validTo date must be in the future.");
  if (inMs > 365 * dayMs) throw invalid("The validTo date must be within 365 days.");
  return validTo.getTime();
}

/** The token of this key, as GetParametersForImport has handed it out. Texts [I]. */
function readToken(context: OperationContext, key: KeyRecord, bytes: Uint8Array): ImportTokenRecord {
  const token = context.importToken(Buffer.from(bytes).toString("hex"));
  const isOurs = token?.keyId === key.keyId && token.account === key.account && token.region === key.region;
  if (!token || !isOurs) {
    throw new AwsException("InvalidImportTokenException", "The import token is invalid, or is for another KMS key.");
  }
  if (token.validToMs <= context.clock()) {
    throw new AwsException("ExpiredImportTokenException", "The import token has expired.");
  }
  return token;
}

/** The material itself, under the id that it has in this key. */
export function readWrappedMaterial(
  context: OperationContext,
  key: KeyRecord,
  input: ImportKeyMaterialRequest,
): KeyMaterial {
  const { wrappingKey, algorithm } = readToken(context, key, input.ImportToken);
  const bytes = unwrapMaterial(Buffer.from(wrappingKey, "base64"), algorithm, input.EncryptedKeyMaterial);
  if (bytes === undefined) throw new AwsException("InvalidCiphertextException");
  const secrets = readMaterial(key.spec, bytes);
  if (secrets === undefined) {
    throw new AwsException("IncorrectKeyMaterialException", `The key material is not a key of spec ${key.spec}.`); // text [I]
  }
  return { id: materialIdFor(key, secrets.secret), spec: key.spec, ...secrets };
}
