/**
 * Programs that use AWS KMS do their ordinary day on the emulator, over TLS, with their signatures verified.
 *
 * Which operations each asked for stands in clients-operations.json; `CLIENTS_OPERATIONS=write` writes it anew.
 */
import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { after, describe, it, type TestContext } from "node:test";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { Unavailable } from "../python-environment.ts";
import { account, type Client, clients } from "./clients.ts";
import { credentials, environmentFor } from "./environment.ts";

const file = new URL("clients-operations.json", import.meta.url);

type Operations = Record<string, readonly string[]>;

const recorded = JSON.parse(readFileSync(file, "utf8")) as Operations;
const isWriting = process.env.CLIENTS_OPERATIONS === "write";

/** Operation to clients, of the clients that have had their day in this run. */
const seen = new Map<string, readonly string[]>();

const recordedFor = (name: string): readonly string[] =>
  Object.entries(recorded).flatMap(([operation, names]) => (names.includes(name) ? [operation] : []));

async function spend(t: TestContext, client: Client): Promise<void> {
  const role = (name: string) => ({ arn: `arn:aws:iam::${account}:role/${name}` });
  const identity = { ...credentials, arn: `arn:aws:iam::${account}:user/client` };
  const emulator = await startTestEmulator({
    tls: true,
    verifySignatures: true,
    identities: [identity],
    roles: [role("sops"), role("reader")],
  });
  t.after(() => emulator.close());
  let result: unknown;
  try {
    result = await client.day(environmentFor(emulator));
  } catch (error) {
    if (!(error instanceof Unavailable)) throw error;
    t.skip(error.message);
    return;
  }
  assert.deepEqual(result, client.expected);
  const operations = [...new Set(emulator.control.journal().map(({ operation }) => operation))].sort();
  seen.set(client.name, operations);
  if (!isWriting) assert.deepEqual(operations, [...recordedFor(client.name)].sort());
}

describe("clients of AWS KMS", () => {
  for (const client of clients) it(`${client.name} does its day`, { timeout: 1_200_000 }, (t) => spend(t, client));

  after(() => {
    if (!isWriting) return;
    const names = [...seen.keys()].sort();
    const operations = [...new Set([...seen.values()].flat())].sort();
    const table = operations.map((operation) => [
      operation,
      names.filter((name) => seen.get(name)?.includes(operation)),
    ]);
    writeFileSync(file, `${JSON.stringify(Object.fromEntries(table), null, 2)}\n`);
  });
});
