/** HCL 1: text to a tree with positions, a tree to plain data, plain data to text. */
export type {
  HclBool,
  HclItem,
  HclKey,
  HclList,
  HclNumber,
  HclObject,
  HclPosition,
  HclString,
  HclValue,
} from "./ast.ts";
export { attributes } from "./attributes.ts";
export { decodeHcl, type PlainObject, type PlainValue, toPlainObject } from "./decode/plain-data.ts";
export { HclError, type HclErrorCode } from "./errors.ts";
export { parseHcl } from "./parse-hcl.ts";
export { type PrintableObject, type PrintableValue, printHcl } from "./printer.ts";
