import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { join } from "node:path";
import { pythonEnvironment, Unavailable } from "../python-environment.ts";

/** The version that docs/aws-kms-behaviour.md, "Other emulators", speaks of. */
const version = "5.2.1";

/** Path of `moto_server`, installed at the first run. */
export async function installedServer(): Promise<string> {
  return join(await pythonEnvironment("moto", [`moto[server]==${version}`]), "moto_server");
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
