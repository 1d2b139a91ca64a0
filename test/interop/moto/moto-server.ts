import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, rename, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** The version that docs/aws-kms-behaviour.md, "Other emulators", speaks of. */
const version = "5.2.1";

const run = promisify(execFile);

function cacheFolder(): string {
  if (process.platform === "darwin") return join(homedir(), "Library", "Caches");
  return process.env.XDG_CACHE_HOME ?? process.env.LOCALAPPDATA ?? join(homedir(), ".cache");
}

/** Reasons for a test to be skipped: the machine lacks something. */
export class Unavailable extends Error {}

/** The server that an earlier run has installed to its end. */
async function knownServer(pointer: string): Promise<string | undefined> {
  const server = await readFile(pointer, "utf8").catch(() => "");
  return server !== "" && existsSync(server) ? server : undefined;
}

/**
 * Path of `moto_server` in a virtual environment that is made at the first run.
 *
 * Test files run side by side: each that finds none makes an environment of its own, and names it only once it is whole.
 */
export async function installedServer(): Promise<string> {
  const cache = join(cacheFolder(), "spire-aws-kms");
  const pointer = join(cache, `moto-${version}.path`);
  const known = await knownServer(pointer);
  if (known !== undefined) return known;
  try {
    await mkdir(cache, { recursive: true });
    const folder = await mkdtemp(join(cache, `moto-${version}-`));
    const bin = join(folder, process.platform === "win32" ? "Scripts" : "bin");
    await run("python3", ["-m", "venv", folder], { timeout: 240_000 });
    await run(join(bin, "pip"), ["install", "--quiet", `moto[server]==${version}`], { timeout: 800_000 });
    const server = join(bin, "moto_server");
    await writeFile(`${pointer}.${process.pid}`, server);
    await rename(`${pointer}.${process.pid}`, pointer);
    return server;
  } catch (error) {
    throw new Unavailable(`moto ${version} could not be installed: ${(error as Error).message.split("\n")[0]}`);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function isServing(endpoint: string): Promise<boolean> {
  return fetch(endpoint, { signal: AbortSignal.timeout(1000) }).then(
    () => true,
    () => false,
  );
}

export interface MotoServer {
  readonly endpoint: string;
  close(): Promise<void>;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

/** Starts moto on a free loopback port. Throws {@link Unavailable} if this machine cannot. */
export async function startMoto(): Promise<MotoServer> {
  const server = await installedServer();
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const child = spawn(server, ["-H", "127.0.0.1", "-p", String(port)], { stdio: "ignore" });
  const failure = new Promise<never>((_, reject) => child.once("error", reject));
  failure.catch(() => {});
  for (let attempt = 0; attempt < 120; attempt += 1) {
    if (child.exitCode !== null) break;
    if (await isServing(endpoint)) return { endpoint, close: () => stop(child) };
    await Promise.race([failure, new Promise((resolve) => setTimeout(resolve, 250))]);
  }
  await stop(child);
  throw new Unavailable("moto_server did not start serving");
}
