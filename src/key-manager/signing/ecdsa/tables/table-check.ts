/** ECDSA's check with tables of the multiples of G and of Q. */
import { inverse } from "../../modular-inverse.ts";
import { type Curve, octetsOf } from "../curve.ts";
import type { Field } from "./field.ts";
import { endOfPlaces } from "./point-functions.ts";
import { listPoints, type TablePlace } from "./point-table.ts";

const listAt = endOfPlaces;

/** Sets the sum to the first point of the list. */
function startWith(field: Field, entry: number): void {
  const { at, arithmetic, numberBytes } = field;
  const address = entry & -4;
  field.copy(at.X, address, 2);
  field.copy(at.Z, at.one);
  if ((entry & 1) === 1) arithmetic.subtract(at.Y, at.zero, address + numberBytes);
}

/** Whether the sum's x coordinate, X/Z², is this number. */
function isX(field: Field, x: bigint): boolean {
  const { at, arithmetic } = field;
  field.writeRaw(at.raw, x);
  arithmetic.square(at.ZZ, at.Z);
  arithmetic.multiply(at.H, at.raw, at.ZZ);
  arithmetic.multiply(at.V, at.X, at.rawOne);
  arithmetic.subtract(at.H, at.H, at.V);
  return field.isZero(at.H);
}

/**
 * Whether (r, s) is valid for the digest e: R = (e/s)·G + (r/s)·Q, and r is its x coordinate modulo n.
 *
 * Undefined where two points with the same x meet in the sum, which the formulas cannot add: that happens by chance once in
 * 2^250 signatures, and else only in a signature that was made for it.
 */
export function checkWithTables(
  field: Field,
  curve: Curve,
  tables: { readonly g: TablePlace; readonly q: TablePlace },
  [e, r, s]: readonly [bigint, bigint, bigint],
): boolean | undefined {
  const { n, p, bytes } = curve;
  const w = inverse(s, n);
  const middle = listPoints(field, octetsOf((e * w) % n, bytes), tables.g, listAt);
  const end = listPoints(field, octetsOf((r * w) % n, bytes), tables.q, middle);
  startWith(field, field.words[listAt / 4] ?? 0);
  field.arithmetic.addPoints(listAt + 4, end);
  if (field.isZero(field.at.Z)) return undefined;
  for (let x = r; x < p; x += n) if (isX(field, x)) return true;
  return false;
}
