/** The only source of chance. */
import { randomBytes, randomUUID } from "node:crypto";

/** Identifiers and coin tosses. A seed makes fault probabilities repeatable; identifiers are always unpredictable. */
export interface Random {
  /** A lower-case UUID v4: key ids and request ids. */
  uuid(): string;
  /** `bytes` random bytes in lower-case hex. */
  hex(bytes: number): string;
  /** Upper-case letters and digits, as in access key ids. */
  letters(length: number): string;
  /** Uniform in [0, 1), from the seed. */
  toss(): number;
}

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/** mulberry32: small, fast, good enough to decide which call a fault hits. */
function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}

/** Random bytes cost far less by the thousand. */
const poolBytes = 4_096;

function pooled(): (length: number) => Buffer {
  let pool: Buffer = Buffer.alloc(0);
  return (length) => {
    if (length > poolBytes / 4) return randomBytes(length);
    if (pool.length < length) pool = randomBytes(poolBytes);
    const taken = pool.subarray(0, length);
    pool = pool.subarray(length);
    return taken;
  };
}

export function createRandom(seed: number): Random {
  const take = pooled();
  return {
    uuid: randomUUID,
    hex: (bytes) => take(bytes).toString("hex"),
    letters: (length) => Array.from(randomBytes(length), (byte) => alphabet[byte & 31]).join(""),
    toss: seeded(seed),
  };
}
