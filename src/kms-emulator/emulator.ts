import { createControl, type EmulatorControl } from "./control/control.ts";
import { Engine } from "./engine.ts";
import { closeServer, listen } from "./http/listen.ts";
import { createAwsServer } from "./http/server.ts";
import type { EmulatorOptions } from "./options.ts";
import { DataFile } from "./persistence/data-file.ts";

/** A running emulator. */
export interface Emulator {
  /** `http://HOST:PORT`, serving KMS, STS and Resource Groups Tagging alike. */
  readonly endpoint: string;
  /** `http://HOST:PORT` of the control plane, if it was asked for. */
  readonly controlEndpoint: string | undefined;
  readonly control: EmulatorControl;
  /** Stops serving, cuts open connections, lets paused calls go. Bounded. */
  close(): Promise<void>;
}

/** Starts an emulator. Throws EmulatorError if it cannot listen or read its data file. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const engine = new Engine(options);
  const dataFile =
    options.dataFile === undefined
      ? undefined
      : DataFile.open({ path: options.dataFile, fsync: options.fsync ?? false }, engine.store, engine.clock);
  const server = createAwsServer(engine, options.requestTimeoutMs ?? 30_000);
  const endpoint = await listen(server, options.host ?? "127.0.0.1", options.port ?? 0).catch((error: unknown) => {
    dataFile?.close();
    throw error;
  });
  return {
    endpoint,
    controlEndpoint: undefined,
    control: createControl(engine),
    async close() {
      engine.pauses.close();
      engine.waits.close();
      await closeServer(server);
      dataFile?.close();
    },
  };
}
