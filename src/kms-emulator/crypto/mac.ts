/** HMACs. */
import { createHmac, timingSafeEqual } from "node:crypto";
import type { MacAlgorithm } from "./key-spec.ts";

const hashes: Record<MacAlgorithm, string> = {
  HMAC_SHA_224: "sha224",
  HMAC_SHA_256: "sha256",
  HMAC_SHA_384: "sha384",
  HMAC_SHA_512: "sha512",
};

export const macOf = (secret: Uint8Array, algorithm: MacAlgorithm, message: Uint8Array): Uint8Array =>
  createHmac(hashes[algorithm], secret).update(message).digest();

export function isMacOf(secret: Uint8Array, algorithm: MacAlgorithm, message: Uint8Array, mac: Uint8Array): boolean {
  const expected = macOf(secret, algorithm, message);
  return expected.length === mac.length && timingSafeEqual(expected, mac);
}
