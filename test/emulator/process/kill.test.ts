/** Nothing that was acknowledged is lost by kill -9. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, statSync } from "node:fs";
import { Agent, request } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { patienceMs } from "../fixture.ts";
import { type EmulatorProcess, endpointOf, startProcess } from "./emulator-process.ts";

const rounds = Number(process.env.EMULATOR_KILL_ROUNDS ?? 2);
const writers = 8;

interface Made {
  readonly KeyId: string;
  readonly alias: string;
}

const agent = new Agent({ keepAlive: true });

/** The parsed answer; rejects when the connection breaks. */
function call(endpoint: string, operation: string, input: object): Promise<Record<string, unknown>> {
  return new Promise((resolve, reject) => {
    const headers = { "X-Amz-Target": `TrentService.${operation}` };
    const outgoing = request(endpoint, { method: "POST", agent, headers, timeout: patienceMs }, (incoming) => {
      let body = "";
      incoming.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      incoming.on("error", reject);
      incoming.on("end", () => resolve(body === "" ? {} : (JSON.parse(body) as Record<string, unknown>)));
    });
    outgoing.on("error", reject).on("timeout", () => outgoing.destroy(new Error("timeout")));
    outgoing.end(JSON.stringify(input));
  });
}

/** Makes keys and aliases until the connection breaks; remembers what was acknowledged, and what was only asked for. */
async function write(endpoint: string, writer: string, acknowledged: Made[], asked: { keys: number }): Promise<void> {
  try {
    for (let index = 0; ; index += 1) {
      asked.keys += 1;
      const reply = await call(endpoint, "CreateKey", { Description: `${writer}-${index}` });
      const { KeyId } = reply.KeyMetadata as { KeyId: string };
      const alias = `alias/${writer}/${index}`;
      const aliased = await call(endpoint, "CreateAlias", { AliasName: alias, TargetKeyId: KeyId });
      assert.equal(aliased.__type, undefined);
      acknowledged.push({ KeyId, alias });
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
  }
}

async function countKeys(endpoint: string): Promise<number> {
  let count = 0;
  for (let Marker: unknown; ; ) {
    const page = await call(endpoint, "ListKeys", { Limit: 1000, Marker });
    count += (page.Keys as unknown[]).length;
    Marker = page.NextMarker;
    if (Marker === undefined) return count;
  }
}

describe("kill -9", () => {
  it(`in the middle of writing, ${rounds} times on one data file, loses nothing that was acknowledged`, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "emulator-kill-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    t.after(() => agent.destroy());
    const data = join(folder, "state.log");
    const acknowledged: Made[] = [];
    const asked = { keys: 0 };
    let emulator: EmulatorProcess = startProcess(t, ["--data", data]);
    for (let round = 0; round < rounds; round += 1) {
      const endpoint = await endpointOf(emulator);
      const before = acknowledged.length;
      const writing = Array.from({ length: writers }, (_, index) =>
        write(endpoint, `r${round}w${index}`, acknowledged, asked),
      );
      let isWriting = true;
      const written = Promise.all(writing).finally(() => {
        isWriting = false;
      });
      while (isWriting && acknowledged.length < before + 100 + round * 37)
        await new Promise((resolve) => setImmediate(resolve));
      emulator.child.kill("SIGKILL");
      await written;
      await emulator.ended;
      emulator = startProcess(t, ["--data", data]);
    }
    const endpoint = await endpointOf(emulator);
    for (const { KeyId, alias } of acknowledged) {
      const described = await call(endpoint, "DescribeKey", { KeyId: alias });
      assert.equal((described.KeyMetadata as { KeyId: string } | undefined)?.KeyId, KeyId, alias);
    }
    const found = await countKeys(endpoint);
    assert.ok(
      found >= acknowledged.length && found <= asked.keys,
      `${acknowledged.length} <= ${found} <= ${asked.keys}`,
    );
    t.diagnostic(
      `${acknowledged.length} acknowledged, ${found} found, ${asked.keys} asked for, ${statSync(data).size} bytes`,
    );
  });
});
