/** The whole state as a JSON value, and back: what the control plane dumps and loads. */
import { EmulatorError } from "../errors.ts";
import { type Mutation, versionsOf } from "../state/records.ts";
import type { Store } from "../state/store.ts";
import { createIntern, decodeMutation } from "./state-codec.ts";

const format = "spire-aws-kms/kms-emulator-state";

/** A copy that shares nothing with the store, nor a store with a dump it was given. */
const copy = (value: unknown): unknown => JSON.parse(JSON.stringify(value) ?? "null");

export function dumpState(store: Store): unknown {
  return { format, version: 1, records: [...store.snapshot()].map(copy) };
}

function readDump(state: unknown): Mutation[] {
  const dump = state as { format?: unknown; version?: unknown; records?: unknown } | null | undefined;
  if (dump?.format !== format || dump.version !== 1 || !Array.isArray(dump.records)) {
    throw new EmulatorError("DATA_FILE_CORRUPT", "this is not a dump of the emulator's state");
  }
  const intern = createIntern();
  const mutations = dump.records.map((record: unknown, index) => {
    const mutation = decodeMutation(copy(record), intern);
    if (mutation) return mutation;
    throw new EmulatorError("DATA_FILE_CORRUPT", `record ${index} of the dump is not one the emulator writes`);
  });
  requireMaterials(mutations);
  return mutations;
}

/** Every key must have its material, or it would fail when it is first used. */
function requireMaterials(mutations: readonly Mutation[]): void {
  const known = new Set(
    mutations.flatMap((mutation) => (mutation.kind === "put-material" ? [mutation.material.id] : [])),
  );
  for (const mutation of mutations) {
    if (mutation.kind !== "put-key") continue;
    if (versionsOf(mutation.key).every(({ id, isPresent }) => !isPresent || known.has(id))) continue;
    throw new EmulatorError("DATA_FILE_CORRUPT", `the dump has no key material for key ${mutation.key.keyId}`);
  }
}

/** Replaces the whole state, recording the change like any other. */
export function loadState(store: Store, state: unknown, atMs: number): void {
  const mutations = readDump(state);
  store.replaceAll(mutations, atMs);
}
