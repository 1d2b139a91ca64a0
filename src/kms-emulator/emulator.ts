/** Starts the emulator as a server: AWS's services on one port, the control plane on another. */
import { createControl, type EmulatorControl } from "./control/control.ts";
import { ControlRoutes } from "./control/http-routes.ts";
import { createControlServer } from "./control/http-server.ts";
import { Engine } from "./engine/engine.ts";
import { closeServer, listen } from "./http/listen.ts";
import { createAwsServer } from "./http/server.ts";
import type { EmulatorOptions } from "./options/options.ts";
import { DataFile } from "./persistence/data-file.ts";
import { readSeedFile } from "./seeds/read-seeds.ts";
import type { ServerTls, TrustAnchor } from "./tls/server-tls.ts";

/** A running emulator. */
export interface Emulator {
  /** `http://HOST:PORT`, or `https://` with `tls`; serving KMS, STS, IAM and Resource Groups Tagging alike. */
  readonly endpoint: string;
  /** `http://HOST:PORT` of the control plane, if it was asked for. */
  readonly controlEndpoint: string | undefined;
  /** With `tls`: what clients must trust. */
  readonly tls: TrustAnchor | undefined;
  readonly control: EmulatorControl;
  /** Stops serving, cuts open connections, lets paused calls go. Bounded. */
  close(): Promise<void>;
  /** As `close()`, for `await using`. */
  [Symbol.asyncDispose](): Promise<void>;
}

/** Undoes what has been started, in reverse order. */
type Closer = () => void | Promise<void>;

async function closeAll(closers: readonly Closer[]): Promise<void> {
  for (const close of [...closers].reverse()) await close();
}

async function serveControl(
  engine: Engine,
  control: EmulatorControl,
  address: { readonly host?: string; readonly port?: number } | undefined,
  closers: Closer[],
): Promise<string | undefined> {
  if (address === undefined) return undefined;
  const server = createControlServer(new ControlRoutes(engine, control));
  const endpoint = await listen(server, address.host ?? "127.0.0.1", address.port ?? 0);
  closers.push(() => closeServer(server));
  return endpoint;
}

/** Certificates are held against the clocks of clients, so their dates are the host's, not those of the emulator's clock. */
async function tlsFor({ tls }: EmulatorOptions, host: string): Promise<ServerTls | undefined> {
  if (tls === undefined || tls === false) return undefined;
  const { prepareTls } = await import("./tls/server-tls.ts");
  return prepareTls(tls === true ? {} : tls, host, Date.now());
}

/** Starts an emulator. Throws EmulatorError if it cannot listen or read its data file. */
export async function startEmulator(options: EmulatorOptions = {}): Promise<Emulator> {
  const { seedFile, ...rest } = options;
  if (seedFile === undefined) return serveEngine(new Engine(options), options);
  const { keys } = readSeedFile(seedFile);
  const seeds = { keys: [...(options.seeds?.keys ?? []), ...keys] };
  return serveEngine(new Engine({ ...rest, seeds }), options);
}

/** Serves an engine that was made of the same options. */
export async function serveEngine(engine: Engine, options: EmulatorOptions): Promise<Emulator> {
  const control = createControl(engine);
  const closers: Closer[] = [];
  try {
    if (options.dataFile !== undefined) {
      const fsync = options.fsync ?? false;
      const dataFile = DataFile.open({ path: options.dataFile, fsync }, engine.store, engine.clock);
      closers.push(() => dataFile.close());
    }
    engine.plantSeeds();
    const verifiesSignatures = options.verifySignatures ?? false;
    const rules = { verifiesSignatures, isStrict: verifiesSignatures || (options.authorize ?? false) };
    const host = options.host ?? "127.0.0.1";
    const tls = await tlsFor(options, host);
    if (tls !== undefined) closers.push(() => tls.release());
    const server = createAwsServer(engine, rules, options.requestTimeoutMs ?? 30_000, tls?.createServer);
    const endpoint = await listen(server, host, options.port ?? 0, tls === undefined ? "http" : "https");
    closers.push(() => closeServer(server));
    const controlEndpoint = await serveControl(engine, control, options.control, closers);
    closers.push(() => engine.close());
    const anchor = tls && { caPem: tls.caPem, caFile: tls.caFile };
    const close = () => closeAll(closers.splice(0));
    return { endpoint, controlEndpoint, tls: anchor, control, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await closeAll(closers);
    throw error;
  }
}
