/** The WebAssembly module: the field's arithmetic, and the addition of points in it. */
import { multiplyFunction, type PrimeForm, squareFunction, subtractFunction } from "./field-functions.ts";
import { addPointFunction, addPointsFunction } from "./point-functions.ts";
import { assemble } from "./wasm-assembler.ts";

/**
 * Makes the module's bytes, a function at each step: together they would hold up the event loop for some milliseconds.
 *
 * @param pages of 64 KiB, its memory; those that are never written cost nothing
 */
export function* fieldModule(
  limbs: number,
  form: PrimeForm,
  pages: number,
): Generator<undefined, Uint8Array, undefined> {
  const functions = [multiplyFunction(limbs, form)];
  yield;
  functions.push(squareFunction(limbs, form));
  yield;
  functions.push(subtractFunction(limbs), addPointFunction(limbs), addPointsFunction(limbs));
  yield;
  return assemble(functions, pages);
}
