/** What every step of a random walk needs: chance, keys to name, and calls that both sides judge. */
import assert from "node:assert/strict";
import type { EmulatorControl } from "../../../src/kms-emulator/index.ts";
import { answerProblems } from "../service-model/conformance.ts";
import { Expected, type Model } from "./model.ts";

export const regions = ["us-east-1", "eu-west-1", "ap-south-1"] as const;
export const account = "111122223333";
export const dayMs = 86_400_000;
const absentId = "00000000-0000-4000-8000-000000000000";

/** A linear congruential generator: the walk is the same for the same seed on every machine. */
export function generator(start: number) {
  let state = BigInt(start) * 2_654_435_761n + 1n;
  const below = (limit: number): number => {
    state = (state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n) & ((1n << 64n) - 1n);
    return Number(state >> 33n) % limit;
  };
  return { below, pick: <T>(items: readonly T[]): T => items[below(items.length)] as T };
}

export type WalkRandom = ReturnType<typeof generator>;

/** How often, and what. */
export type Action = readonly [weight: number, step: () => Promise<void>];

type Call = (operation: string, input: object, options: { region: string }) => Promise<unknown>;

export class Steps {
  readonly random: WalkRandom;
  readonly model: Model;
  readonly control: EmulatorControl;
  readonly trace: string[] = [];

  constructor(random: WalkRandom, model: Model, control: EmulatorControl) {
    this.random = random;
    this.model = model;
    this.control = control;
  }

  /** Each answer of KMS is one that AWS's service model lets it give. */
  async call(operation: string, input: object, region: string): Promise<unknown> {
    const output = await (this.control.call as Call)(operation, input, { region });
    if (operation !== "GetResources") assert.deepEqual(answerProblems(operation, output), [], operation);
    return output;
  }

  /** A key of this Region, of another one, or none, by id or by ARN. */
  someKey(region: string): { id: string; text: string } {
    const { below, pick } = this.random;
    const here = this.model.keys.filter((key) => key.region === region);
    const kind = below(20);
    const id = kind === 0 || here.length === 0 ? absentId : kind === 1 ? pick(this.model.keys).id : pick(here).id;
    return { id, text: below(3) === 0 ? `arn:aws:kms:${region}:${account}:key/${id}` : id };
  }

  /** Calls the emulator and asks the model; both must succeed, or fail by the same exception. */
  async both<T>(
    operation: string,
    region: string,
    input: object,
    expect: () => T,
  ): Promise<{ output: unknown; expected: T } | undefined> {
    this.trace.push(`${operation} ${region} ${JSON.stringify(input)}`);
    let output: unknown;
    let actualError: string | undefined;
    try {
      output = await this.call(operation, input, region);
    } catch (error) {
      actualError = (error as Error).name;
    }
    try {
      const expected = expect();
      assert.equal(actualError, undefined, `${operation} should succeed`);
      return { output, expected };
    } catch (error) {
      if (!(error instanceof Expected)) throw error;
      assert.equal(actualError, error.name, `${operation} should fail`);
      return undefined;
    }
  }
}
