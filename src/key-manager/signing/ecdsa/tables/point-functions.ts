/** Adding points of a curve, as functions of a WebAssembly module that has the field's arithmetic. */
import { type Code, call, i32, ifElse, local, loopWhile, setLocal, type WasmFunction } from "./wasm-assembler.ts";

/** The order in which the module has its functions. */
export const functionIndex = { multiply: 0, square: 1, subtract: 2, addPoint: 3, addPoints: 4 } as const;

/** Addresses of numbers in the module's memory, by name; they follow one another. */
const names = [
  "zero",
  "one",
  "rawOne",
  "p",
  "X",
  "Y",
  "Z",
  "ZZ",
  "H",
  "R",
  "HH",
  "HHH",
  "V",
  "T",
  "negated",
  "raw",
] as const;
export type Place = (typeof names)[number];

export function placesFor(limbs: number): Readonly<Record<Place, number>> {
  const places = Object.fromEntries(names.map((name, index) => [name, 4 * limbs * index]));
  return places as Record<Place, number>;
}

/** Where lists of points, scratch space and tables may begin. */
export const endOfPlaces = 1024;

/**
 * addPoint(x, y): adds the point (x, y) to the sum (X : Y : Z), which stands for (X/Z², Y/Z³).
 *
 * madd of "Efficient elliptic curve exponentiation using mixed coordinates" (Cohen, Miyaji, Ono). Where both points have the
 * same x, H and with it Z becomes 0, and stays it: whoever reads the sum sees that it is none. |X| stays below 8·p, |Y| below
 * 4·p, |H| below 10·p and |R| below 6·p.
 */
export function addPointFunction(limbs: number): WasmFunction {
  const at = placesFor(limbs);
  const place = (name: Place | "x" | "y"): Code =>
    name === "x" ? local(0) : name === "y" ? local(1) : i32.constant(at[name]);
  type Operand = Place | "x" | "y";
  const multiply = (out: Place, a: Operand, b: Operand) => call(functionIndex.multiply, place(out), place(a), place(b));
  const square = (out: Place, a: Operand) => call(functionIndex.square, place(out), place(a));
  const subtract = (out: Place, a: Operand, b: Operand) => call(functionIndex.subtract, place(out), place(a), place(b));
  const body = [
    square("ZZ", "Z"),
    multiply("H", "x", "ZZ"),
    subtract("H", "H", "X"), // H = x·Z² − X
    multiply("T", "Z", "ZZ"),
    multiply("R", "y", "T"),
    subtract("R", "R", "Y"), // R = y·Z³ − Y
    multiply("Z", "Z", "H"), // Z' = Z·H
    square("HH", "H"),
    multiply("HHH", "H", "HH"),
    multiply("V", "X", "HH"),
    square("X", "R"),
    subtract("X", "X", "HHH"),
    subtract("X", "X", "V"),
    subtract("X", "X", "V"), // X' = R² − H³ − 2·X·H²
    subtract("V", "V", "X"),
    multiply("T", "Y", "HHH"),
    multiply("Y", "R", "V"),
    subtract("Y", "Y", "T"), // Y' = R·(X·H² − X') − Y·H³
  ];
  return { name: "addPoint", parameters: 2, locals64: 0, locals32: 0, body };
}

/**
 * addPoints(from, to): adds the points of a list to the sum. An entry is the address of x, after which y lies; 1 more than
 * the address means the point with −y.
 */
export function addPointsFunction(limbs: number): WasmFunction {
  const at = placesFor(limbs);
  const [from, to, entry, x] = [local(0), local(1), local(2), local(3)];
  const y = i32.add(x, i32.constant(4 * limbs));
  const negated = i32.constant(at.negated);
  const body = loopWhile(i32.isLess(from, to), [
    setLocal(2, i32.load(from)),
    setLocal(3, i32.and(entry, i32.constant(-4))),
    ifElse(
      i32.and(entry, i32.constant(1)),
      [call(functionIndex.subtract, negated, i32.constant(at.zero), y), call(functionIndex.addPoint, x, negated)],
      call(functionIndex.addPoint, x, y),
    ),
    setLocal(0, i32.add(from, i32.constant(4))),
  ]);
  return { name: "addPoints", parameters: 2, locals64: 0, locals32: 2, body };
}
