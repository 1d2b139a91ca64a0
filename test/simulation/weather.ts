/** What befalls the calls of a server's life, by chance: fair times, and storms of one or two kinds of trouble. */
import { type Trouble, troubles } from "./troubles.ts";

const always: readonly Trouble[] = [
  "throttled",
  "denied",
  "expired",
  "not valid",
  "internal",
  "internal, done",
  "page",
  "garbled answer",
  "empty answer",
  "reset",
  "lost",
  "slow",
  "hangs",
  "never arrives",
];
const onSign: readonly Trouble[] = ["wrong signature", "other key's signature"];
const onGetPublicKey: readonly Trouble[] = ["public key of another type", "other public key"];
/** Listings are left out: who starts within seconds of a rotation may be shown the key before. */
const lagging: ReadonlySet<string> = new Set(["DescribeKey", "GetPublicKey", "Sign"]);

export interface WeatherOptions {
  readonly random: () => number;
  /** Whether reads may see the past; the account must remember it. */
  readonly isLagging: boolean;
}

export class Weather {
  readonly #options: WeatherOptions;
  #chance = 0;
  /** The kinds of trouble there are at this time; undefined: all. */
  #kinds: ReadonlySet<Trouble> | undefined;

  constructor(options: WeatherOptions) {
    this.#options = options;
  }

  /** From now on another mix: mostly fair, sometimes a storm of one or two kinds. */
  change(): void {
    const { random } = this.#options;
    const mood = random();
    this.#chance = mood < 0.3 ? 0 : mood < 0.7 ? 0.15 : mood < 0.95 ? 0.5 : 1;
    const all = Object.keys(troubles) as Trouble[];
    const few = all.filter(() => random() < 0.15);
    this.#kinds = random() < 0.5 && few.length > 0 ? new Set(few) : undefined;
  }

  clear(): void {
    this.#chance = 0;
  }

  /** What the next call of an operation meets. */
  next(operation: string): Trouble | undefined {
    const { random, isLagging } = this.#options;
    if (random() >= this.#chance) return undefined;
    const possible = [
      ...always,
      ...(operation === "Sign" ? onSign : []),
      ...(operation === "GetPublicKey" ? onGetPublicKey : []),
      ...(isLagging && lagging.has(operation) ? (["lag", "lag", "lag"] as const) : []),
    ].filter((trouble) => this.#kinds?.has(trouble) ?? true);
    return possible[Math.floor(random() * possible.length)];
  }
}
