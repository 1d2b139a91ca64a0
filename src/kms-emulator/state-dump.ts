import { EmulatorError } from "./errors.ts";
import type { Mutation } from "./records.ts";
import { decodeMutation, encodeMutation } from "./state-codec.ts";
import type { Store } from "./store.ts";

const format = "spire-aws-kms/kms-emulator-state";

export function dumpState(store: Store): unknown {
  return { format, version: 1, records: [...store.snapshot()].map(encodeMutation) };
}

function readDump(state: unknown): Mutation[] {
  const dump = state as { format?: unknown; version?: unknown; records?: unknown } | null | undefined;
  if (dump?.format !== format || dump.version !== 1 || !Array.isArray(dump.records)) {
    throw new EmulatorError("DATA_FILE_CORRUPT", "this is not a dump of the emulator's state");
  }
  return dump.records.map((record, index) => {
    const mutation = decodeMutation(record);
    if (mutation) return mutation;
    throw new EmulatorError("DATA_FILE_CORRUPT", `record ${index} of the dump is not one the emulator writes`);
  });
}

/** Replaces the whole state, recording the change like any other. */
export function loadState(store: Store, state: unknown, atMs: number): void {
  const mutations = readDump(state);
  store.replaceAll(mutations, atMs);
}
