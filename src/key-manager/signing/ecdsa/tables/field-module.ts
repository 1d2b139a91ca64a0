/** The WebAssembly module: the field's arithmetic, and the addition of points in it. */
import { multiplyFunction, type PrimeForm, squareFunction, subtractFunction } from "./field-functions.ts";
import { addPointFunction, addPointsFunction } from "./point-functions.ts";
import { assemble, type EncodedFunction, encodeFunction } from "./wasm-assembler.ts";

/**
 * Makes the module's bytes in steps of two milliseconds or so: all of it at once would hold up the event loop.
 *
 * @param pages of 64 KiB, its memory; those that are never written cost nothing
 */
export function* fieldModule(
  limbs: number,
  form: PrimeForm,
  pages: number,
): Generator<undefined, Uint8Array, undefined> {
  const makers = [multiplyFunction, squareFunction, subtractFunction, addPointFunction, addPointsFunction];
  const functions: EncodedFunction[] = [];
  for (const make of makers) {
    const made = make(limbs, form);
    yield;
    functions.push(encodeFunction(made));
    yield;
  }
  return assemble(functions, pages);
}
