/** Reads the text of a policy into statements, or says where it is wrong. */
import { type Conditions, isConditionOperator } from "./conditions.ts";

/** A policy document, checked and with its one-or-many members made lists. */
export interface PolicyDocument {
  readonly statements: readonly Statement[];
}

export interface Statement {
  readonly effect: "Allow" | "Deny";
  /** Undefined: the statement has none, as in IAM policies. */
  readonly principals: Principals | undefined;
  readonly isNotPrincipal: boolean;
  /** Empty if missing: such a statement is accepted in a key policy and matches nothing. */
  readonly actions: readonly string[];
  readonly isNotAction: boolean;
  readonly resources: readonly string[];
  readonly isNotResource: boolean;
  readonly conditions: Conditions;
}

/** `"*"` alone, or names by type: AWS, Service, Federated, CanonicalUser. */
type Principals = "*" | Readonly<Record<string, readonly string[]>>;

/** Why a text is no policy document. The layers above choose the exception. */
export class PolicySyntaxError extends Error {
  readonly code = "MALFORMED_POLICY";

  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = "PolicySyntaxError";
  }
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function strings(value: unknown, member: string): string[] {
  const values = Array.isArray(value) ? value : [value];
  return values.map((item) => {
    if (typeof item === "string") return item;
    if (member === "Condition" && (typeof item === "boolean" || typeof item === "number")) return String(item);
    throw new PolicySyntaxError(`${member} must be a string or a list of strings.`);
  });
}

function readPrincipals(value: unknown): Principals {
  if (value === "*") return "*";
  if (!isObject(value) || Object.keys(value).length === 0) {
    throw new PolicySyntaxError("Principal must be * or name principals by type.");
  }
  const known = ["AWS", "Service", "Federated", "CanonicalUser"];
  const unknown = Object.keys(value).find((type) => !known.includes(type));
  if (unknown !== undefined) throw new PolicySyntaxError(`Unknown principal type ${unknown}.`);
  return Object.fromEntries(Object.entries(value).map(([type, names]) => [type, strings(names, "Principal")]));
}

function readConditions(value: unknown): Conditions {
  if (value === undefined) return {};
  if (!isObject(value)) throw new PolicySyntaxError("Condition must be an object.");
  const blocks = Object.entries(value).map(([operator, block]) => {
    if (!isConditionOperator(operator)) throw new PolicySyntaxError(`Unknown condition operator ${operator}.`);
    if (!isObject(block)) throw new PolicySyntaxError(`Condition ${operator} must be an object.`);
    const entries = Object.entries(block).map(([key, values]) => [key, strings(values, "Condition")] as const);
    return [operator, Object.fromEntries(entries)] as const;
  });
  return Object.fromEntries(blocks);
}

/** `Name` or `NotName`; both at once is an error. */
function eitherOf(statement: Json, name: string): { value: unknown; isNot: boolean } {
  const not = `Not${name}`;
  if (statement[name] !== undefined && statement[not] !== undefined) {
    throw new PolicySyntaxError(`A statement cannot have both ${name} and ${not}.`);
  }
  return { value: statement[name] ?? statement[not], isNot: statement[not] !== undefined };
}

const statementMembers = new Set([
  "Sid",
  "Effect",
  "Principal",
  "NotPrincipal",
  "Action",
  "NotAction",
  "Resource",
  "NotResource",
  "Condition",
]);

function readStatement(value: unknown): Statement {
  if (!isObject(value)) throw new PolicySyntaxError("A statement must be an object.");
  const stray = Object.keys(value).find((member) => !statementMembers.has(member));
  if (stray !== undefined) throw new PolicySyntaxError(`A statement has no member ${stray}.`);
  const effect = value.Effect;
  if (effect !== "Allow" && effect !== "Deny") throw new PolicySyntaxError("Effect must be Allow or Deny.");
  const principal = eitherOf(value, "Principal");
  const action = eitherOf(value, "Action");
  const resource = eitherOf(value, "Resource");
  return {
    effect,
    principals: principal.value === undefined ? undefined : readPrincipals(principal.value),
    isNotPrincipal: principal.isNot,
    actions: action.value === undefined ? [] : strings(action.value, "Action"),
    isNotAction: action.isNot,
    resources: resource.value === undefined ? [] : strings(resource.value, "Resource"),
    isNotResource: resource.isNot,
    conditions: readConditions(value.Condition),
  };
}

const versions = ["2012-10-17", "2008-10-17"];

/** Throws PolicySyntaxError. */
export function parsePolicy(text: string): PolicyDocument {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new PolicySyntaxError("Policy is not valid JSON.", { cause });
  }
  if (!isObject(value)) throw new PolicySyntaxError("Policy must be a JSON object.");
  if (value.Version !== undefined && !versions.some((version) => version === value.Version)) {
    throw new PolicySyntaxError("Unknown policy version.");
  }
  const statements = Array.isArray(value.Statement) ? value.Statement : [value.Statement];
  if (value.Statement === undefined || statements.length === 0) {
    throw new PolicySyntaxError("Policy must have a statement.");
  }
  return { statements: statements.map(readStatement) };
}
