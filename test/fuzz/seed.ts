/** Nonsense that can be had again: `FUZZ_SEED=n` for another kind of it, `FUZZ_ROUNDS=n` times as much. */
import { seededRandom } from "../simulation/virtual-time.ts";

export const seed = Number(process.env.FUZZ_SEED ?? 1);
const factor = Number(process.env.FUZZ_ROUNDS ?? 1);

/** How many rounds, for a number that takes a moment. */
export const rounds = (few: number): number => Math.ceil(few * factor);

export class Chance {
  readonly random: () => number;

  constructor(which: number) {
    this.random = seededRandom(seed * 1_000_003 + which);
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
