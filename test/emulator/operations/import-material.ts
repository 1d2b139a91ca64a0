/** Wraps and imports key material as a client does. */
import { createCipheriv, createPublicKey, publicEncrypt, randomBytes } from "node:crypto";
import type { EmulatorControl } from "../../../src/kms-emulator/index.ts";

type WrappingAlgorithm =
  | "RSAES_OAEP_SHA_1"
  | "RSAES_OAEP_SHA_256"
  | "RSA_AES_KEY_WRAP_SHA_1"
  | "RSA_AES_KEY_WRAP_SHA_256";

/** Wraps as GetParametersForImport was asked for: the material itself, or an AES key around it. */
export function wrapMaterial(spki: Uint8Array, algorithm: WrappingAlgorithm, material: Uint8Array): Uint8Array {
  const key = createPublicKey({ key: Buffer.from(spki), format: "der", type: "spki" });
  const oaepHash = algorithm.endsWith("_256") ? "sha256" : "sha1";
  const seal = (bytes: Uint8Array) => publicEncrypt({ key, padding: 4, oaepHash }, bytes);
  if (!algorithm.startsWith("RSA_AES")) return seal(material);
  const aes = randomBytes(32);
  const cipher = createCipheriv("id-aes256-wrap-pad", aes, Buffer.from("a65959a6", "hex"));
  return Buffer.concat([seal(aes), cipher.update(material), cipher.final()]);
}

let last: Uint8Array = Buffer.alloc(32);

/** New material for a symmetric key; `false`: once more what was given last. */
export function symmetricMaterial(isNew = true): Uint8Array {
  if (isNew) last = randomBytes(32);
  return last;
}

interface ImportOptions {
  readonly region?: string;
  readonly algorithm?: WrappingAlgorithm;
  /** Further members of ImportKeyMaterial. */
  readonly input?: object;
}

type Call = (operation: string, input: object, options: { region?: string }) => Promise<Record<string, unknown>>;

/** GetParametersForImport and ImportKeyMaterial; the answer of the second. */
export async function importMaterial(
  control: EmulatorControl,
  KeyId: string,
  material: Uint8Array,
  { region, algorithm = "RSA_AES_KEY_WRAP_SHA_256", input = {} }: ImportOptions = {},
): Promise<Record<string, unknown>> {
  const call = control.call as Call;
  const options = region === undefined ? {} : { region };
  const wanted = { KeyId, WrappingAlgorithm: algorithm, WrappingKeySpec: "RSA_2048" };
  const { PublicKey, ImportToken } = await call("GetParametersForImport", wanted, options);
  const EncryptedKeyMaterial = wrapMaterial(PublicKey as Uint8Array, algorithm, material);
  const request = { KeyId, ImportToken, EncryptedKeyMaterial, ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE" };
  return call("ImportKeyMaterial", { ...request, ...input }, options);
}
