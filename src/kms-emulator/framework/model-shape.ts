/** From a shape of AWS's service model to the reader of a member: the constraints are the model's own. */
import type { ModelShape, ServiceModel } from "../model/service-model.ts";
import { shapeNamed } from "../model/service-model.ts";
import {
  blob,
  boolean,
  enumeration,
  integer,
  list,
  optional,
  required,
  type Shape,
  string,
  stringMap,
  structure,
  timestamp,
} from "./validation.ts";

/**
 * The order in which AWS names the values of an enumeration in a ValidationException, where an answer has been published;
 * values that came later follow in the order of the model. Else the order is the model's.
 */
const publishedOrders: Readonly<Record<string, readonly string[]>> = {
  KeyUsageType: ["ENCRYPT_DECRYPT", "SIGN_VERIFY", "GENERATE_VERIFY_MAC"],
  KeySpec: [
    "RSA_2048",
    "ECC_NIST_P384",
    "ECC_NIST_P256",
    "ECC_NIST_P521",
    "HMAC_384",
    "RSA_3072",
    "ECC_SECG_P256K1",
    "RSA_4096",
    "SYMMETRIC_DEFAULT",
    "HMAC_256",
    "HMAC_224",
    "HMAC_512",
  ],
  MacAlgorithmSpec: ["HMAC_SHA_384", "HMAC_SHA_256", "HMAC_SHA_224", "HMAC_SHA_512"],
};

/** The values of an enumeration in the order in which AWS names them. */
export function enumValues(name: string, shape: ModelShape): readonly string[] {
  const values = shape.enum ?? [];
  const first = publishedOrders[name] ?? [];
  return [...first.filter((value) => values.includes(value)), ...values.filter((value) => !first.includes(value))];
}

/** The constraints of an element in the words that AWS puts behind the list's name; undefined if it has none. */
export function elementRules(name: string, shape: ModelShape): readonly string[] | undefined {
  if (shape.type === "structure") return undefined;
  if (shape.enum) return [`Member must satisfy enum value set: [${enumValues(name, shape).join(", ")}]`];
  const rules: string[] = [];
  if (shape.max !== undefined) rules.push(`Member must have length less than or equal to ${shape.max}`);
  if (shape.min !== undefined) rules.push(`Member must have length greater than or equal to ${shape.min}`);
  if (shape.pattern !== undefined) rules.push(`Member must satisfy regular expression pattern: ${shape.pattern}`);
  return rules.length > 0 ? rules : undefined;
}

/** Constraints that AWS documents beside its model, by member. */
export type Amendments = Readonly<Record<string, { readonly max: number }>>;

function structureShape(model: ServiceModel, shape: ModelShape, amendments: Amendments): Shape<unknown> {
  const members = Object.entries(shape.members ?? {}).map(([name, target]) => {
    const amended = amendments[name];
    const member = amended ? integer({ min: 1, ...amended }) : modelShape(model, target);
    return [name, shape.required?.includes(name) ? required(member) : optional(member)] as const;
  });
  return structure(Object.fromEntries(members));
}

/** The reader of the shape `name`. */
export function modelShape(model: ServiceModel, name: string, amendments: Amendments = {}): Shape<unknown> {
  const shape = shapeNamed(model, name);
  const { min, max, pattern, isSensitive } = shape;
  switch (shape.type) {
    case "structure":
      return structureShape(model, shape, amendments);
    case "list": {
      const element = shape.member ?? "";
      return list(modelShape(model, element), {
        min,
        max,
        elementRules: elementRules(element, shapeNamed(model, element)),
      });
    }
    case "map":
      return stringMap();
    case "string":
      return shape.enum ? enumeration(enumValues(name, shape)) : string({ min, max, pattern, isSensitive });
    case "integer":
      return integer({ min, max });
    case "boolean":
      return boolean();
    case "blob":
      return blob({ min, max });
    case "timestamp":
      return timestamp();
    default:
      throw new Error(`the service model has a type ${shape.type} that nothing reads`);
  }
}
