/** An emulator with SDK clients for one test, and raw requests to it. */
import assert from "node:assert/strict";
import { request } from "node:http";
import type { TestContext } from "node:test";
import { KMSClient } from "@aws-sdk/client-kms";
import { STSClient } from "@aws-sdk/client-sts";
import { type Emulator, type EmulatorOptions, manualClock } from "../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../fixtures/test-emulator.ts";

/** The SDK announces its future Node requirement on stderr; it is not what these tests are about. */
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = "true";

/** When to stop waiting for an answer: long, so that only a call that hangs fails, not one on a slow machine. */
export const patienceMs = 120_000;

export interface Credentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export const account = "111122223333";
export const region = "us-east-1";
export const anyCredentials: Credentials = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "secret" };

export interface RawReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

export interface Fixture {
  readonly emulator: Emulator;
  readonly kms: KMSClient;
  kmsFor(credentials: Credentials, region?: string): KMSClient;
  stsFor(credentials: Credentials): STSClient;
  /** A request as it stands: what an SDK would not send. */
  raw(headers: Record<string, string>, body: string | Buffer, method?: string, path?: string): Promise<RawReply>;
  /** A KMS call by raw HTTP; the parsed body. */
  target(operation: string, body: unknown, headers?: Record<string, string>): Promise<RawReply & { json: unknown }>;
}

/** One request on a connection of its own, so that a cut connection is the caller's to see. */
export function rawRequest(
  endpoint: string,
  headers: Record<string, string>,
  body: string | Buffer,
  method = "POST",
  path = "/",
): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const outgoing = request(
      `${endpoint}${path}`,
      { method, headers, agent: false, timeout: patienceMs },
      (incoming) => {
        const chunks: Buffer[] = [];
        incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
        incoming.on("error", reject);
        incoming.on("end", () => {
          const text = Buffer.concat(chunks).toString();
          resolve({ status: incoming.statusCode ?? 0, headers: incoming.headers, body: text });
        });
      },
    );
    outgoing.on("timeout", () => outgoing.destroy(new Error(`no answer in ${patienceMs} ms`)));
    outgoing.on("error", reject);
    outgoing.end(body);
  });
}

/**
 * An emulator with a clock that stands still, and SDK clients that do not retry. Everything ends with the test. RSA keys
 * are ready-made unless `start` is the emulator's own.
 */
export async function startFixture(
  t: TestContext,
  options: EmulatorOptions = {},
  start: (options: EmulatorOptions) => Promise<Emulator> = startTestEmulator,
): Promise<Fixture> {
  const emulator = await start({ clock: manualClock(), ...options });
  const clients: { destroy(): void }[] = [];
  t.after(async () => {
    for (const client of clients) client.destroy();
    await emulator.close();
  });
  const keep = <C extends { destroy(): void }>(client: C): C => {
    clients.push(client);
    return client;
  };
  const { endpoint } = emulator;
  const config = (credentials: Credentials, where = region) => ({
    endpoint,
    region: where,
    credentials,
    maxAttempts: 1,
  });
  const raw: Fixture["raw"] = (headers, body, method, path) => rawRequest(endpoint, headers, body, method, path);
  return {
    emulator,
    kms: keep(new KMSClient(config(anyCredentials))),
    kmsFor: (credentials, where) => keep(new KMSClient(config(credentials, where))),
    stsFor: (credentials) => keep(new STSClient(config(credentials))),
    raw,
    async target(operation, body, headers = {}) {
      const all = {
        "X-Amz-Target": `TrentService.${operation}`,
        "Content-Type": "application/x-amz-json-1.1",
        ...headers,
      };
      const reply = await raw(all, typeof body === "string" ? body : JSON.stringify(body));
      return { ...reply, json: reply.body === "" ? undefined : (JSON.parse(reply.body) as unknown) };
    },
  };
}

/** Checks the exception as an SDK presents it: name, class of that name if it is modelled, and message. */
export async function rejectsWith(promise: Promise<unknown>, name: string, message?: string | RegExp): Promise<void> {
  await assert.rejects(promise, (error: unknown) => {
    assert.ok(error instanceof Error);
    assert.equal(error.name, name, error.message);
    if (typeof message === "string") assert.equal(error.message, message);
    if (message instanceof RegExp) assert.match(error.message, message);
    return true;
  });
}

/** A value that must be there. */
export function present<T>(value: T | null | undefined): T {
  assert.ok(value !== undefined && value !== null, "a value is missing");
  return value;
}
