/** Checking ECDSA signatures over a digest with one public key. */
import type { KeyObject } from "node:crypto";
import { type Curve, integerOf, type Point, p256, p384 } from "./curve.ts";
import { readEcdsaSignature } from "./ecdsa-signature.ts";
import { type EcdsaCheck, openSslCheck } from "./openssl-check.ts";
import { CurveTables, type Numbers, type TableKey, tableKey } from "./tables/curve-tables.ts";

/** Whether a signature, in DER, is valid for exactly this digest. */
export type EcdsaVerifier = (digest: Uint8Array, signature: Uint8Array) => boolean;

export type TablesOf = (curve: Curve) => CurveTables;

const schedule = (job: () => void): void => {
  setImmediate(job).unref();
};

/** A table costs 5 to 20 ms; what the slower way takes longer comes to that after some signatures. */
const tablesOfProcess = new Map([
  [p256, new CurveTables(p256, { schedule, maxKeys: 8, signaturesBefore: 32 })],
  [p384, new CurveTables(p384, { schedule, maxKeys: 8, signaturesBefore: 2 })],
]);

function sharedTables(curve: Curve): CurveTables {
  const tables = tablesOfProcess.get(curve);
  if (tables === undefined) throw new Error(`no tables for the curve ${curve.openSslName}`);
  return tables;
}

function curveOf(key: KeyObject): Curve {
  const name = key.asymmetricKeyDetails?.namedCurve;
  const curve = [p256, p384].find(({ openSslName }) => openSslName === name);
  if (curve === undefined) throw new Error(`no verifier for the curve ${name}`);
  return curve;
}

/** What the tables say. They are not to throw; if they do, that is a refusal, which has no weight. */
function verdictOf(tables: CurveTables, key: TableKey, numbers: Numbers): boolean | undefined {
  try {
    return tables.check(key, numbers);
  } catch {
    return false;
  }
}

/** With tables where they are ready. Only an acceptance of theirs counts; a refusal is OpenSSL's to speak. */
function checkOf(curve: Curve, point: Point, tables: CurveTables): EcdsaCheck {
  const slowCheck = openSslCheck(curve, point);
  const key = tableKey(point);
  return (e, r, s) => {
    const numbers: Numbers = [e, r, s];
    const verdict = verdictOf(tables, key, numbers);
    if (verdict === true) return true;
    const isValid = slowCheck(e, r, s);
    if (isValid) tables.report(key, numbers, verdict);
    return isValid;
  };
}

export function ecdsaVerifier(key: KeyObject, tablesOf: TablesOf = sharedTables): EcdsaVerifier {
  const curve = curveOf(key);
  const { n, bytes } = curve;
  const { x = "", y = "" } = key.export({ format: "jwk" });
  const publicKey = { x: integerOf(Buffer.from(x, "base64url")), y: integerOf(Buffer.from(y, "base64url")) };
  const check = checkOf(curve, publicKey, tablesOf(curve));
  return (digest, signature) => {
    const { r, s } = readEcdsaSignature(signature) ?? { r: 0n, s: 0n };
    if (r <= 0n || r >= n || s <= 0n || s >= n) return false;
    // The leftmost bits of the digest, as many as n has (FIPS 186-5, 6.4.2); they may still exceed n.
    return check(integerOf(digest.subarray(0, bytes)) % n, r, s);
  };
}
