/** What befalls calls on their way to KMS and back. */
import { AwsException, EmulatorError } from "../../src/kms-emulator/index.ts";
import type { Account } from "./account.ts";
import type { Passage } from "./simulated-sdk.ts";

/** Every kind of trouble that a call can meet. */
export const troubles = {
  throttled: "refused with ThrottlingException",
  denied: "refused with AccessDeniedException",
  expired: "refused with ExpiredTokenException",
  "not valid": "refused with ValidationException",
  internal: "KMSInternalException, not carried out",
  "internal, done": "KMSInternalException although it was carried out",
  page: "a load balancer's 503 page",
  "garbled answer": "carried out, and an answer that is no JSON",
  "empty answer": "carried out, and an answer without its members",
  reset: "connection cut before it was carried out",
  lost: "carried out, and its answer lost",
  slow: "answered after 1 to 7 s",
  hangs: "carried out, and answered after our time limit",
  "never arrives": "not carried out, and never answered",
  lag: "answered from the state of some seconds ago",
  "wrong signature": "one bit of the signature is wrong",
  "other key's signature": "signed with another key",
  "public key of another type": "the public key is of another type",
  "other public key": "the public key is another key's",
} as const;

export type Trouble = keyof typeof troubles;

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
  readonly account: Account;
  readonly random: () => number;
  readonly isLagging: boolean;
  /** Told of every trouble that a call has met. */
  readonly onTrouble: (trouble: Trouble, operation: string) => void;
}

const badGateway = () =>
  Object.assign(new SyntaxError("Unexpected token < in JSON"), { $metadata: { httpStatusCode: 503 } });
const noJson = () => Object.assign(new SyntaxError("Unexpected end of JSON"), { $metadata: { httpStatusCode: 200 } });

export class Weather {
  readonly #options: WeatherOptions;
  /** Chance of trouble for each call. */
  chance = 0;
  /** The kinds of trouble there are at this time; undefined: all. */
  kinds: ReadonlySet<Trouble> | undefined;
  /** Decides in chance's place. */
  script: ((operation: string) => Trouble | undefined) | undefined;

  constructor(options: WeatherOptions) {
    this.#options = options;
  }

  /** From now on another mix: mostly fair, sometimes a storm of one or two kinds. */
  change(): void {
    const { random } = this.#options;
    const mood = random();
    this.chance = mood < 0.3 ? 0 : mood < 0.7 ? 0.15 : mood < 0.95 ? 0.5 : 1;
    const all = Object.keys(troubles) as Trouble[];
    const few = all.filter(() => random() < 0.15);
    this.kinds = random() < 0.5 && few.length > 0 ? new Set(few) : undefined;
  }

  clear(): void {
    this.chance = 0;
  }

  passageOf(operation: string, input: object): Passage {
    const { random, account, onTrouble } = this.#options;
    const trouble = this.script === undefined ? this.#pick(operation) : this.script(operation);
    if (trouble !== undefined) onTrouble(trouble, operation);
    return passageThrough(trouble, { account, random, operation, input });
  }

  #pick(operation: string): Trouble | undefined {
    const { random, isLagging } = this.#options;
    if (random() >= this.chance) return undefined;
    const possible = [
      ...always,
      ...(operation === "Sign" ? onSign : []),
      ...(operation === "GetPublicKey" ? onGetPublicKey : []),
      ...(isLagging && lagging.has(operation) ? (["lag", "lag", "lag"] as const) : []),
    ].filter((trouble) => this.kinds?.has(trouble) ?? true);
    return possible[Math.floor(random() * possible.length)];
  }
}

interface Traveller {
  readonly account: Account;
  readonly random: () => number;
  readonly operation: string;
  readonly input: object;
}

const neverMs = 24 * 3_600_000;

/** The way of one call through one kind of trouble. */
function passageThrough(trouble: Trouble | undefined, { account, random, operation, input }: Traveller): Passage {
  const toMs = random() * 20;
  const backMs = random() * 30;
  const perform = () => account.call(operation, input);
  const way = (effect: () => Promise<unknown>, times: Partial<Passage> = {}) => ({ toMs, backMs, effect, ...times });
  const instead = (error: () => unknown) => () => Promise.reject(error());
  const refused = (name: string) => way(instead(() => new AwsException(name, `${operation}: injected`)));
  const afterwards = (error: () => unknown) => async () => {
    await perform();
    throw error();
  };
  switch (trouble) {
    case undefined:
      return way(perform);
    case "throttled":
      return refused("ThrottlingException");
    case "denied":
      return refused("AccessDeniedException");
    case "expired":
      return refused("ExpiredTokenException");
    case "not valid":
      return refused("ValidationException");
    case "internal":
      return refused("KMSInternalException");
    case "internal, done":
      return way(afterwards(() => new AwsException("KMSInternalException", "injected")));
    case "page":
      return way(instead(badGateway));
    case "garbled answer":
      return way(afterwards(noJson));
    case "empty answer":
      return way(() => perform().then(() => ({})));
    case "reset":
      return way(instead(() => new EmulatorError("CONNECTION_RESET", "injected")));
    case "lost":
      return way(afterwards(() => new EmulatorError("LOST_REPLY", "injected")));
    case "slow":
      return way(perform, { toMs: random() * 3_500, backMs: random() * 3_500 });
    case "hangs":
      return way(perform, { backMs: neverMs });
    case "never arrives":
      return way(instead(badGateway), { toMs: neverMs, backMs: neverMs });
    case "lag":
      return way(() => account.callInThePast(operation, input, random() * 4_000));
    case "wrong signature":
    case "other key's signature":
    case "public key of another type":
    case "other public key":
      return way(() => account.callFalsified(operation, input, trouble));
  }
}
