/** Reading an ECDSA signature: DER only, for that is what ends up in a certificate. */
import { integerOf } from "./curve.ts";

export interface EcdsaSignature {
  readonly r: bigint;
  readonly s: bigint;
}

/** Reads `SEQUENCE { INTEGER r, INTEGER s }`, DER, neither negative; undefined for anything else. */
export function readEcdsaSignature(der: Uint8Array): EcdsaSignature | undefined {
  // Both curves' signatures are shorter than 128 bytes: every length is one byte.
  if (der[0] !== 0x30 || der[1] !== der.length - 2 || der.length > 129) return undefined;
  const numbers: bigint[] = [];
  let at = 2;
  while (at < der.length) {
    const length = der[at + 1] ?? 0;
    const end = at + 2 + length;
    const [first = 0x80, second = 0] = der.subarray(at + 2, end);
    const isMinimal = first !== 0 || length === 1 || second >= 0x80;
    if (der[at] !== 0x02 || length === 0 || end > der.length || first >= 0x80 || !isMinimal) return undefined;
    numbers.push(integerOf(der.subarray(at + 2, end)));
    at = end;
  }
  const [r, s] = numbers;
  return numbers.length === 2 && r !== undefined && s !== undefined ? { r, s } : undefined;
}
