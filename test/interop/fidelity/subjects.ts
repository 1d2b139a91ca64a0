/** The emulators under comparison, each asked over HTTP in AWS's protocol. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Ask } from "../../emulator/recordings/recording.ts";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { startMoto } from "../moto/moto-server.ts";
import { pythonEnvironment, Unavailable } from "../python-environment.ts";
import { decodeOutput, encodeInput } from "./protocol.ts";

export const versions = { moto: "5.2.1", ministack: "1.5.33" };

export interface Subject {
  readonly name: string;
  readonly endpoint: string;
  readonly ask: Ask;
  /** Forgets every key. */
  reset(): Promise<void>;
  close(): Promise<void>;
}

/** The account in which the questions are put. */
const account = "111122223333";

const authorization = (region: string) =>
  `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/${region}/kms/aws4_request, SignedHeaders=host, Signature=0`;

/** Asks in the words of AWS's protocol; another emulator's account is called by the name of ours. */
function askAt(endpoint: () => string, accountThere = account): Ask {
  return async (operation, input, region = "us-east-1") => {
    const reply = await fetch(endpoint(), {
      method: "POST",
      headers: {
        "X-Amz-Target": `TrentService.${operation}`,
        "Content-Type": "application/x-amz-json-1.1",
        Authorization: authorization(region),
      },
      body: encodeInput(input).replaceAll(account, accountThere),
      signal: AbortSignal.timeout(60_000),
    });
    const text = (await reply.text()).replaceAll(accountThere, account);
    return decodeOutput(operation, reply, text);
  };
}

async function startOurs(): Promise<Subject> {
  let emulator = await startTestEmulator();
  return {
    name: "this emulator",
    get endpoint() {
      return emulator.endpoint;
    },
    ask: askAt(() => emulator.endpoint),
    async reset() {
      await emulator.close();
      emulator = await startTestEmulator();
    },
    close: () => emulator.close(),
  };
}

const resetAt = (url: string) => async () => {
  await fetch(url, { method: "POST", signal: AbortSignal.timeout(60_000) });
};

async function startTheirMoto(): Promise<Subject> {
  const moto = await startMoto();
  const { endpoint } = moto;
  return {
    name: "moto",
    endpoint,
    ask: askAt(() => endpoint, "123456789012"),
    reset: resetAt(`${endpoint}/moto-api/reset`),
    close: () => moto.close(),
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, "close");
  return port;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, "exit");
  child.kill("SIGKILL");
  await ended;
}

const isServing = (endpoint: string): Promise<boolean> =>
  fetch(`${endpoint}/_ministack/health`, { signal: AbortSignal.timeout(1000) }).then(
    ({ ok }) => ok,
    () => false,
  );

async function startMinistack(): Promise<Subject> {
  // Without this package it makes no signatures.
  const bin = await pythonEnvironment("ministack", [`ministack==${versions.ministack}`, "cryptography==50.0.2"]);
  const port = await freePort();
  const endpoint = `http://127.0.0.1:${port}`;
  const env = { ...process.env, BIND_HOST: "127.0.0.1", GATEWAY_PORT: String(port) };
  const child = spawn(join(bin, "ministack"), [], { stdio: "ignore", env, cwd: tmpdir() });
  child.once("error", () => {});
  const close = () => stop(child);
  for (let attempt = 0; attempt < 240 && child.exitCode === null; attempt += 1) {
    if (await isServing(endpoint)) {
      const reset = resetAt(`${endpoint}/_ministack/reset`);
      return { name: "ministack", endpoint, ask: askAt(() => endpoint, "000000000000"), reset, close };
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  await close();
  throw new Unavailable("ministack did not start serving");
}

/** Ours first. Throws {@link Unavailable} if this machine cannot run one of the others. */
export async function startSubjects(): Promise<readonly Subject[]> {
  const started: Subject[] = [];
  try {
    for (const start of [startOurs, startTheirMoto, startMinistack]) started.push(await start());
    return started;
  } catch (error) {
    for (const subject of started) await subject.close();
    throw error;
  }
}
