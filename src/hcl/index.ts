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
export { attributes, boolField, type HclMapEntry, stringField, stringMapField, unknownKeys } from "./attributes.ts";
export { foldCase } from "./decode/fold-case.ts";
export { type GoList, type GoMap, type GoValue, toGoInterface } from "./decode/go-interface.ts";
export { decodeHcl, type PlainObject, type PlainValue, toPlainObject } from "./decode/plain-data.ts";
export { HclError, type HclErrorCode, MAX_NESTING } from "./errors.ts";
export { parseHcl } from "./parse-hcl.ts";
export { type PrintableObject, type PrintableValue, printHcl } from "./printer.ts";
