/**
 * Nonsense that can be had again: `FUZZ_SEED=n` for another kind of it, `FUZZ_ROUNDS=n` times as much;
 * `FUZZ_SEED=random` for a kind that was never tried, whose seed is printed.
 *
 * What is drawn in an order that scheduling decides, answers to calls that are under way together, has a generator of its own
 * for each piece, so that the n-th answer to an operation is falsified in the same way in every run.
 */
import { createHash, randomInt } from "node:crypto";
import { seededRandom } from "../simulation/virtual-time.ts";

const wanted = process.env.FUZZ_SEED ?? "1";
export const seed = wanted === "random" ? randomInt(2 ** 31) : Number(wanted);
if (wanted === "random") process.stdout.write(`# FUZZ_SEED=${seed}\n`);
const factor = Number(process.env.FUZZ_ROUNDS ?? 1);

/** How many rounds, for a number that takes a moment. */
export const rounds = (few: number): number => Math.ceil(few * factor);

export class Chance {
  readonly random: () => number;

  constructor(which: number) {
    this.random = seededRandom(seed * 1_000_003 + which);
  }

  /** The chance of one piece of the nonsense, whatever was drawn before. */
  static of(which: number, name: string, ordinal: number): Chance {
    const hash = createHash("sha256").update(`${name}\n${ordinal}`).digest();
    return new Chance(which + hash.readUInt32LE());
  }

  below(limit: number): number {
    return Math.floor(this.random() * limit);
  }

  pick<T>(items: readonly [T, ...T[]]): T {
    return items[this.below(items.length)] ?? items[0];
  }

  bytes(length: number): Buffer {
    return Buffer.from(Array.from({ length }, () => this.below(256)));
  }

  /** The bytes with some changed, cut out, doubled or put in. */
  mutate(original: Uint8Array): Buffer {
    let bytes = Buffer.from(original);
    for (let turn = 0; turn <= this.below(4); turn++) {
      const at = this.below(bytes.length + 1);
      const piece = bytes.subarray(at, at + 1 + this.below(8));
      const rest = bytes.subarray(at + piece.length);
      const head = bytes.subarray(0, at);
      bytes = Buffer.concat(
        this.pick([
          [head, this.bytes(piece.length), rest],
          [head, rest],
          [head, piece, piece, rest],
          [head, this.bytes(1 + this.below(8)), piece, rest],
          [head],
        ]),
      );
    }
    return bytes;
  }
}
