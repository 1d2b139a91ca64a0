/** Integers as Go's `strconv` reads them. */

const integerPattern =
  /^[+-]?(?:0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/;
const maxInt64 = 2n ** 63n - 1n;
const minInt64 = -(2n ** 63n);
/** Longer than any 64-bit number in base 2 without leading zeros; keeps BigInt away from megabytes of digits. */
const maxDigits = 64;

/** What Go's `strconv.ParseInt(text, 0, 64)` returns, or undefined where it returns an error. */
export function parseGoInteger(text: string): bigint | undefined {
  if (!integerPattern.test(text)) return undefined;
  const unsigned = text.replaceAll("_", "").replace(/^[+-]/, "");
  const prefix = /^0[bBoOxX]/.exec(unsigned)?.[0].toLowerCase() ?? (unsigned.startsWith("0") ? "0o" : "");
  const digits = unsigned.replace(/^0[bBoOxX]/, "").replace(/^0+/, "");
  if (digits.length > maxDigits) return undefined;
  const magnitude = digits === "" ? 0n : BigInt(prefix + digits);
  const value = text.startsWith("-") ? -magnitude : magnitude;
  return value < minInt64 || value > maxInt64 ? undefined : value;
}
