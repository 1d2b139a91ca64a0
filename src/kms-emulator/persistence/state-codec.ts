/** Changes as JSON and back; what a file holds is checked before it is believed. */
import { keySpecs } from "../crypto/key-spec.ts";
import type { Mutation } from "../state/records.ts";

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

type MemberType = "string" | "number" | "boolean" | "array";

interface RecordRule {
  /** The mutation's member that holds the record; absent: the mutation itself. */
  readonly member?: string;
  /** Members that must be there, by type. Optional members are not looked at. */
  readonly types: Readonly<Partial<Record<MemberType, readonly string[]>>>;
}

const rules: Record<Mutation["kind"], RecordRule> = {
  "put-material": { member: "material", types: { string: ["id", "spec", "secret", "publicKey"] } },
  "put-key": {
    member: "key",
    types: {
      string: ["account", "region", "keyId", "description", "spec", "usage", "keyManager", "state", "materialId"],
      number: ["createdAtMs"],
      boolean: ["isMultiRegion", "wasTagged"],
      array: ["tags"],
    },
  },
  "delete-key": { types: { string: ["account", "region", "keyId"] } },
  "put-alias": {
    member: "alias",
    types: { string: ["account", "region", "name", "keyId"], number: ["createdAtMs", "updatedAtMs"] },
  },
  "delete-alias": { types: { string: ["account", "region", "name"] } },
  "put-set": {
    member: "set",
    types: { string: ["account", "keyId", "primaryRegion"], array: ["replicaRegions"] },
  },
  "delete-set": { types: { string: ["account", "keyId"] } },
  "put-grant": {
    member: "grant",
    types: {
      string: ["account", "region", "keyId", "grantId", "issuingAccount"],
      number: ["createdAtMs"],
      array: ["operations"],
    },
  },
  "delete-grant": { types: { string: ["account", "region", "grantId"] } },
  "put-import-token": {
    member: "token",
    types: {
      string: ["tokenId", "account", "region", "keyId", "algorithm", "wrappingKey"],
      number: ["validToMs"],
    },
  },
  "put-session": {
    member: "session",
    types: {
      string: ["accessKeyId", "secretAccessKey", "sessionToken", "arn", "userId", "roleArn"],
      number: ["expiresAtMs"],
      array: ["policies", "tags"],
    },
  },
};

const typeOf = (value: unknown): string => (Array.isArray(value) ? "array" : typeof value);

function follows(record: Record<string, unknown>, { types }: RecordRule): boolean {
  return Object.entries(types).every(([type, names]) => names.every((name) => typeOf(record[name]) === type));
}

/**
 * Mutations are JSON-compatible as they are. Reading many of them back, equal strings become one: account, Region, key id
 * and description are repeated in record after record.
 */
export type Intern = (text: string) => string;

export function createIntern(): Intern {
  const known = new Map<string, string>();
  return (text) => {
    const first = known.get(text);
    if (first !== undefined) return first;
    known.set(text, text);
    return text;
  };
}

const interned = [
  "account",
  "region",
  "keyId",
  "description",
  "spec",
  "usage",
  "state",
  "keyManager",
  "materialId",
  "id",
];

function internMembers(record: Record<string, unknown>, intern: Intern): void {
  for (const name of interned) {
    const value = record[name];
    if (typeof value === "string") record[name] = intern(value);
  }
  const { policy } = record;
  if (typeof policy === "string") record.policy = intern(policy);
}

/** Returns undefined for data that is no mutation. Takes `value` over. */
export function decodeMutation(value: unknown, intern: Intern): Mutation | undefined {
  if (!isObject(value) || typeof value.kind !== "string" || !Object.hasOwn(rules, value.kind)) return undefined;
  const kind = value.kind as Mutation["kind"];
  const rule = rules[kind];
  const record = rule.member === undefined ? value : value[rule.member];
  if (!isObject(record) || !follows(record, rule)) return undefined;
  if (typeof record.spec === "string" && !Object.hasOwn(keySpecs, record.spec)) return undefined;
  internMembers(record, intern);
  return value as unknown as Mutation;
}
