/** The way of one call to KMS and back, through one kind of trouble or none. */
import { AwsException, EmulatorError } from "../../src/kms-emulator/index.ts";
import { describeKey } from "./operator.ts";
import { operator, type SimulatedAccount } from "./simulated-account.ts";
import type { Trouble } from "./troubles.ts";

/** What becomes of one request. */
export interface Passage {
  /** Virtual milliseconds until the request takes effect. */
  readonly toMs: number;
  /** Virtual milliseconds until its answer is there. */
  readonly backMs: number;
  /** Carries the request out, or something else instead. Rejects like `EmulatorControl.call`, or as the SDK does. */
  readonly effect: () => Promise<unknown>;
}

export interface Traveller {
  readonly account: SimulatedAccount;
  readonly random: () => number;
  readonly operation: string;
  readonly input: object;
  readonly caller: unknown;
  /** The access key of the caller; undefined: the account's own. */
  readonly accessKeyId: string | undefined;
  /** Undefined: the account's own. */
  readonly region?: string | undefined;
  /** Mean of the time that a request, or its answer, is under way at the most. 0: all at once. */
  readonly latencyMs: number;
}

const neverMs = 24 * 3_600_000;

const badGateway = () =>
  Object.assign(new SyntaxError("Unexpected token < in JSON"), { $metadata: { httpStatusCode: 503 } });
const noJson = () => Object.assign(new SyntaxError("Unexpected end of JSON"), { $metadata: { httpStatusCode: 200 } });

/** The way of one call through one kind of trouble. */
export function passageThrough(trouble: Trouble | undefined, traveller: Traveller): Passage {
  const { account, random, operation, input, caller, accessKeyId, region, latencyMs } = traveller;
  // Answers are larger than requests.
  const toMs = latencyMs > 0 ? random() * 0.8 * latencyMs : 0;
  const backMs = latencyMs > 0 ? random() * 1.2 * latencyMs : 0;
  const perform = () => account.call(operation, input, caller, accessKeyId, region);
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
      return way(() => account.callInThePast(operation, input, random() * 4_000, caller));
    case "wrong signature":
      return way(async () => spoiled(await perform()));
    case "other key's signature":
    case "public key of another type":
    case "other public key":
      return way(async () => fromStranger(await perform(), traveller, trouble !== "public key of another type"));
  }
}

/** The answer with one bit of its signature turned. */
function spoiled(output: unknown): unknown {
  const signature = Uint8Array.from((output as { Signature: Uint8Array }).Signature);
  signature[signature.length - 1] = (signature[signature.length - 1] ?? 0) ^ 1;
  return { ...(output as object), Signature: signature };
}

/** What a stranger's key answers in place of the one that was asked, under its name. */
async function fromStranger(output: unknown, { account, operation, input }: Traveller, sameType: boolean) {
  const { KeyId } = output as { KeyId: string };
  const { KeySpec } = await describeKey(account, KeyId);
  for (const stranger of account.strangers) {
    if (((await describeKey(account, stranger)).KeySpec === KeySpec) !== sameType) continue;
    const other = (await account.call(operation, { ...input, KeyId: stranger }, operator)) as object;
    return { ...other, KeyId };
  }
  throw new Error("no stranger has such a key");
}
