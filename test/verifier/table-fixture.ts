/** The check with tables alone, without the slower way behind it, so that a test sees what the tables themselves say. */
import type { KeyObject } from "node:crypto";
import { type Curve, integerOf, type Point, p256, p384 } from "../../src/key-manager/signing/ecdsa/curve.ts";
import type { Numbers } from "../../src/key-manager/signing/ecdsa/tables/curve-tables.ts";
import { Field, pageBytes } from "../../src/key-manager/signing/ecdsa/tables/field.ts";
import {
  buildTable,
  type TablePlace,
  tableBytesOf,
  windowBitsOf,
} from "../../src/key-manager/signing/ecdsa/tables/point-table.ts";
import { checkWithTables } from "../../src/key-manager/signing/ecdsa/tables/table-check.ts";

export const curves = { "P-256": p256, "P-384": p384 } as const;

/** Runs all steps of a piece of work. */
export function finish<T>(work: Generator<undefined, T, undefined>): T {
  for (;;) {
    const step = work.next();
    if (step.done) return step.value;
  }
}

export function pointOf(key: KeyObject): Point {
  const { x = "", y = "" } = key.export({ format: "jwk" });
  return { x: integerOf(Buffer.from(x, "base64url")), y: integerOf(Buffer.from(y, "base64url")) };
}

const fields = new Map<Curve, Field>();

/** Where a field of {@link fieldOf} has its two tables. */
export function placesOf(curve: Curve): { readonly g: TablePlace; readonly q: TablePlace } {
  const g = { address: pageBytes, windowBits: windowBitsOf.generator };
  return { g, q: { address: pageBytes + tableBytesOf(curve, g.windowBits), windowBits: windowBitsOf.key } };
}

/** One field for a curve, with the table of G at the beginning and room for a key's. */
export function fieldOf(curve: Curve): Field {
  let field = fields.get(curve);
  if (field === undefined) {
    const { g, q } = placesOf(curve);
    const bytes = q.address + tableBytesOf(curve, q.windowBits);
    field = finish(Field.prepare(curve, Math.ceil(bytes / pageBytes)));
    finish(buildTable(field, curve, curve.generator, g));
    fields.set(curve, field);
  }
  return field;
}

/** Valid until it is asked for another key of the curve. */
export function tableCheckOf(curve: Curve, point: Point): (numbers: Numbers) => boolean | undefined {
  const field = fieldOf(curve);
  const places = placesOf(curve);
  finish(buildTable(field, curve, point, places.q));
  return (numbers) => checkWithTables(field, curve, places, numbers);
}
