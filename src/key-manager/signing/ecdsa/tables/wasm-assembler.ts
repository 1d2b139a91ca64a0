/**
 * As much of WebAssembly's binary format (W3C, WebAssembly Core 1.0, chapter 5) as the field's arithmetic needs.
 *
 * A piece of code is a byte or a list of pieces; an operation is its operands' code and its own byte after it.
 */

export type Code = number | readonly Code[];

function appendBytes(bytes: number[], code: Code): number[] {
  if (typeof code === "number") bytes.push(code);
  else for (const part of code) appendBytes(bytes, part);
  return bytes;
}

/** LEB128, unsigned and signed. */
function unsigned(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...unsigned(value >>> 7)];
}

function signed(value: number): number[] {
  const rest = value >> 7;
  const isLast = rest === ((value & 0x40) === 0 ? 0 : -1);
  return isLast ? [value & 0x7f] : [(value & 0x7f) | 0x80, ...signed(rest)];
}

const binary =
  (operation: number) =>
  (left: Code, right: Code): Code => [left, right, operation];

export const i64 = {
  constant: (value: number): Code => [0x42, signed(value)],
  add: binary(0x7c),
  subtract: binary(0x7d),
  multiply: binary(0x7e),
  and: binary(0x83),
  shiftLeft: (value: Code, bits: number): Code => (bits === 0 ? value : binary(0x86)(value, i64.constant(bits))),
  /** Keeps the sign: rounds down. */
  shiftRight: (value: Code, bits: number): Code => binary(0x87)(value, i64.constant(bits)),
  /** A 32-bit number with its sign, from `address + offset`. */
  load32: (address: Code, offset: number): Code => [address, 0x34, 2, unsigned(offset)],
  /** The lower 32 bits, to `address + offset`. */
  store32: (address: Code, offset: number, value: Code): Code => [address, value, 0x3e, 2, unsigned(offset)],
};

export const i32 = {
  constant: (value: number): Code => [0x41, signed(value)],
  add: binary(0x6a),
  and: binary(0x71),
  isLess: binary(0x49),
  load: (address: Code): Code => [address, 0x28, 2, 0],
};

export const local = (index: number): Code => [0x20, unsigned(index)];
export const setLocal = (index: number, value: Code): Code => [value, 0x21, unsigned(index)];
export const call = (functionIndex: number, ...parameters: Code[]): Code => [parameters, 0x10, unsigned(functionIndex)];

export const ifElse = (condition: Code, then: Code, otherwise: Code): Code => [
  condition,
  [0x04, 0x40],
  then,
  0x05,
  otherwise,
  0x0b,
];

/** `while (condition) body`. */
export const loopWhile = (condition: Code, body: Code): Code => [
  [0x03, 0x40],
  condition,
  [0x04, 0x40],
  body,
  [0x0c, 1],
  [0x0b, 0x0b],
];

/** A function of 32-bit parameters without a result. Its locals are numbered on from the parameters, the 64-bit ones first. */
export interface WasmFunction {
  readonly name: string;
  readonly parameters: number;
  readonly locals64: number;
  readonly locals32: number;
  readonly body: Code;
}

/** A function in the module's own form. */
export interface EncodedFunction {
  readonly name: string;
  readonly type: Uint8Array;
  readonly code: Uint8Array;
}

const type32 = 0x7f;
const type64 = 0x7e;

const bytesOf = (code: Code): Uint8Array => Uint8Array.from(appendBytes([], code));
const vector = (items: readonly Uint8Array[]): Uint8Array => Buffer.concat([bytesOf(unsigned(items.length)), ...items]);
const sized = (bytes: Uint8Array): Uint8Array => Buffer.concat([bytesOf(unsigned(bytes.length)), bytes]);
const section = (id: number, items: readonly Uint8Array[]): Uint8Array =>
  Buffer.concat([bytesOf(id), sized(vector(items))]);

export function encodeFunction({ name, parameters, locals64, locals32, body }: WasmFunction): EncodedFunction {
  const locals = [2, unsigned(locals64), type64, unsigned(locals32), type32];
  return {
    name,
    type: bytesOf([0x60, unsigned(parameters), new Array(parameters).fill(type32), 0]),
    code: sized(bytesOf([locals, body, 0x0b])),
  };
}

const exportOf = (name: string, kind: number, index: number): Uint8Array =>
  Buffer.concat([sized(Buffer.from(name)), bytesOf([kind, unsigned(index)])]);

/** A module that exports its functions by name, and its memory of a fixed number of pages as `memory`. */
export function assemble(functions: readonly EncodedFunction[], pages: number): Uint8Array {
  const [types, codes] = [functions.map(({ type }) => type), functions.map(({ code }) => code)];
  const indexes = functions.map((_, index) => bytesOf(unsigned(index)));
  const exported = functions.map(({ name }, index) => exportOf(name, 0, index));
  return Buffer.concat([
    bytesOf([0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0]),
    section(1, types),
    section(3, indexes),
    section(5, [bytesOf([1, unsigned(pages), unsigned(pages)])]),
    section(7, [exportOf("memory", 2, 0), ...exported]),
    section(10, codes),
  ]);
}
