/** Whatever befalls IAM, SPIRE notices nothing but that a key takes a moment longer. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { LoneServerWorld } from "../simulation/lone-server.ts";
import { type Trouble, troubles } from "../simulation/troubles.ts";
import { seededRandom } from "../simulation/virtual-time.ts";

const withKeys: readonly Trouble[] = [
  "lag",
  "wrong signature",
  "other key's signature",
  "public key of another type",
  "other public key",
];
const kinds = (Object.keys(troubles) as Trouble[]).filter((trouble) => !withKeys.includes(trouble));

async function firstKey(trouble: Trouble | undefined, isLasting: boolean) {
  const world = new LoneServerWorld();
  const { time } = world.account;
  const server = world.server(seededRandom(7), { discardCredentials: () => true });
  let attempts = 0;
  const at: string[] = [];
  world.account.fateOf = (_, operation) => {
    at.push(operation);
    if (operation !== "GetRole") return undefined;
    attempts++;
    return isLasting || attempts === 1 ? trouble : undefined;
  };
  const begun = time.now;
  await time.until(server.configure());
  const configured = time.now;
  await time.until(server.generate("x509-CA-A"));
  const generated = time.now;
  const calls = at.length;
  await time.run(10_000);
  assert.deepEqual(at.slice(calls), [], "nothing goes on behind SPIRE's back");
  const warnings = server.log.filter(({ level }) => level === "warn" || level === "info");
  return {
    attempts,
    configureMs: configured - begun,
    generateMs: generated - configured,
    lines: warnings.filter(({ message }) => /without a path/.test(message)).length,
  };
}

describe("trouble at GetRole", () => {
  for (const trouble of kinds) {
    it(`${trouble}: Configure succeeds as fast as ever, and so does GenerateKey within three seconds`, async () => {
      const fair = await firstKey(undefined, false);
      assert.deepEqual([fair.attempts, fair.lines], [1, 0]);
      for (const isLasting of [false, true]) {
        const { attempts, configureMs, generateMs, lines } = await firstKey(trouble, isLasting);
        assert.ok(attempts >= 1 && attempts <= 3, `${attempts} attempts`);
        assert.ok(configureMs <= fair.configureMs + 50, `Configure took ${configureMs} ms`);
        assert.ok(generateMs <= fair.generateMs + 3_000, `GenerateKey took ${generateMs} ms`);
        assert.ok(lines <= 1);
        if (isLasting && trouble !== "slow") assert.equal(lines, 1, "the log says what is missing");
      }
    });
  }
});
