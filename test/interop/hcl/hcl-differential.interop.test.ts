import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { printHcl } from "../../../src/hcl/index.ts";
import { compare, goDecoded } from "./comparison.ts";
import { GoReference, ReferenceUnavailable } from "./go-reference.ts";
import { mutate, randomFields, randomHcl, randomNumberText, randomSoup, randomStringText } from "./hcl-texts.ts";
import { randomJson, randomJsonSoup } from "./json-texts.ts";
import { randomData } from "./printable-data.ts";
import { Random } from "./random.ts";
import { samples, tooDeep } from "./samples.ts";
import { shrink } from "./shrink.ts";
import { readVectors, type Vector, writeVectors } from "./vectors.ts";

/** HCL_SEED=<number> for other texts than those of every run; HCL_RUNS=<number> multiplies it; HCL_RECORD=1 writes the vectors anew. */
const seed = Number(process.env.HCL_SEED ?? 1);
const runs = Number(process.env.HCL_RUNS ?? 1);
const leastCompared = 20_000;
const maxShown = 5;

const generators: Readonly<Record<string, readonly [count: number, make: (random: Random) => string]>> = {
  "HCL along the grammar": [6000, randomHcl],
  "plugin-like fields": [3000, randomFields],
  "JSON form": [5000, randomJson],
  "HCL scraps": [1500, randomSoup],
  "JSON scraps": [2000, randomJsonSoup],
  "odd numbers": [1500, randomNumberText],
  "odd strings and heredocs": [3000, randomStringText],
  "printed by printHcl": [1000, (random) => printHcl(randomData(random))],
  "broken samples": [2000, (random) => mutate(random, random.pick(samples))],
  "broken HCL": [4000, (random) => mutate(random, randomHcl(random))],
  "broken JSON": [2000, (random) => mutate(random, randomJson(random))],
};

describe("HCL, compared with github.com/hashicorp/hcl v1", { timeout: 300_000 }, () => {
  let go: GoReference | undefined;
  let unavailable: string | undefined;
  let compared = 0;

  before(async () => {
    try {
      go = await GoReference.start();
    } catch (error) {
      if (!(error instanceof ReferenceUnavailable)) throw error;
      unavailable = error.message;
    }
  });

  after(async () => {
    await go?.stop();
  });

  /** Compares the texts, then compares them again as hcl1's own printer writes them. */
  async function check(context: TestContext, texts: readonly string[]): Promise<void> {
    const reference = go;
    if (!reference) return context.skip(unavailable);
    const differing: string[] = [];
    let accepted = 0;
    let declared = 0;
    let total = 0;
    for (let wave = texts; wave.length > 0; ) {
      const answers = await reference.ask(wave);
      const reprinted: string[] = [];
      for (const [index, text] of wave.entries()) {
        const answer = answers[index];
        assert.ok(answer);
        const difference = compare(text, answer);
        if (difference?.declared) declared++;
        else if (difference) differing.push(text);
        if (answer.decoded.refused === undefined) accepted++;
        if (wave === texts && answer.reprinted.refused === undefined) reprinted.push(answer.reprinted.value);
      }
      total += wave.length;
      wave = reprinted;
    }
    compared += total;
    context.diagnostic(
      `${total} texts compared (${accepted} accepted by hcl1), ${differing.length} differ, ${declared} in a declared way`,
    );
    if (differing.length > 0) assert.fail(await describeDifferences(reference, differing));
  }

  async function describeDifferences(reference: GoReference, differing: readonly string[]): Promise<string> {
    const lines = [`${differing.length} texts are read differently (repeat with HCL_SEED=${seed}):`];
    for (const text of differing.slice(0, maxShown)) {
      const isFaulty = async (candidate: string): Promise<boolean> => {
        const difference = compare(candidate, await reference.askOne(candidate));
        return difference !== undefined && !difference.declared;
      };
      const small = await shrink(text, isFaulty);
      lines.push(`${JSON.stringify(small)}: ${compare(small, await reference.askOne(small))?.what}`);
    }
    return lines.join("\n");
  }

  it("reads hand-picked texts alike", (context) => check(context, [...samples, tooDeep]));

  it("answers as the recorded vectors say", async (context) => {
    const reference = go;
    if (!reference) return context.skip(unavailable);
    const answers = await reference.ask(samples);
    const now = samples.map((text, index): Vector => {
      const answer = answers[index];
      const decoded = answer && goDecoded(answer);
      return decoded ? { text, decoded } : { text };
    });
    if (process.env.HCL_RECORD) await writeVectors(now);
    assert.deepEqual(await readVectors(), now, "run with HCL_RECORD=1 to record what Go answers");
  });

  for (const [index, [name, [count, make]]] of Object.entries(generators).entries()) {
    it(`reads generated texts alike: ${name}`, async (context) => {
      const random = new Random(seed + index);
      await check(
        context,
        Array.from({ length: count * runs }, () => make(random)),
      );
    });
  }

  it(`compared at least ${leastCompared} texts`, (context) => {
    if (!go) return context.skip(unavailable);
    context.diagnostic(`${compared} texts compared, seed ${seed}`);
    assert.ok(compared >= leastCompared, `only ${compared} texts were compared`);
  });
});
