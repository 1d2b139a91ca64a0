import { keySpecs } from "./crypto/key-spec.ts";
import type { Mutation } from "./records.ts";

/** Mutations as JSON-compatible data and back: bytes become base64. */
export function encodeMutation(mutation: Mutation): unknown {
  if (mutation.kind !== "put-material") return mutation;
  const { id, spec, secret, publicKey } = mutation.material;
  const base64 = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("base64");
  return { kind: mutation.kind, material: { id, spec, secret: base64(secret), publicKey: base64(publicKey) } };
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** The members that identify each kind of record: all of them strings. */
const identifying: Record<Mutation["kind"], { member?: string; names: readonly string[] }> = {
  "put-material": { member: "material", names: ["id", "spec", "secret", "publicKey"] },
  "put-key": { member: "key", names: ["account", "region", "keyId", "spec", "usage", "state", "materialId"] },
  "delete-key": { names: ["account", "region", "keyId"] },
  "put-alias": { member: "alias", names: ["account", "region", "name", "keyId"] },
  "delete-alias": { names: ["account", "region", "name"] },
  "put-set": { member: "set", names: ["account", "keyId", "primaryRegion"] },
  "delete-set": { names: ["account", "keyId"] },
  "put-session": { member: "session", names: ["accessKeyId", "secretAccessKey", "sessionToken", "arn"] },
};

/** Returns undefined for data that {@link encodeMutation} did not make. */
export function decodeMutation(value: unknown): Mutation | undefined {
  if (!isObject(value) || typeof value.kind !== "string" || !Object.hasOwn(identifying, value.kind)) return undefined;
  const kind = value.kind as Mutation["kind"];
  const { member, names } = identifying[kind];
  const record = member === undefined ? value : value[member];
  if (!isObject(record) || names.some((name) => typeof record[name] !== "string")) return undefined;
  if (typeof record.spec === "string" && !Object.hasOwn(keySpecs, record.spec)) return undefined;
  if (kind !== "put-material") return value as unknown as Mutation;
  const material = {
    ...record,
    secret: Buffer.from(String(record.secret), "base64"),
    publicKey: Buffer.from(String(record.publicKey), "base64"),
  };
  return { kind, material } as unknown as Mutation;
}
