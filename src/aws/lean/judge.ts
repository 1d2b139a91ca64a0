/**
 * The SDK's judgement of what came of a lean request: a second client, whose HTTP handler answers with that instead of sending
 * anything. Exception names, request ids and what is learnt about the clock are the SDK's own by that.
 */
import type { KMSClient } from "@aws-sdk/client-kms";
import { withholdSecrets } from "../credentials/withhold-credentials.ts";
import type { Answer } from "../transport/wire-request.ts";
import type { Command } from "./operations.ts";
import { type Reply, type SendCommand, sendingBy } from "./reply.ts";
import type { SigningCredentials } from "./sigv4.ts";

/** What the judge's HTTP handler answers with. */
export type Outcome = { readonly answer: Answer } | { readonly failure: unknown };

/** An HTTP handler that sends nothing: the outcome comes with the call's options. */
export const judgingHandler = {
  metadata: { handlerProtocol: "http/1.1" },
  async handle(_request: unknown, options?: object): Promise<Answer> {
    const outcome: Outcome = Reflect.get(Object(options), "outcome");
    if ("failure" in outcome) throw outcome.failure;
    return outcome.answer;
  },
  destroy() {},
};

/** As the SDK has it: a clock that is four minutes wrong explains a refusal. */
const maxSkewMs = 240_000;

/** The request that met the outcome. */
export interface Judged {
  readonly command: Command;
  readonly credentials: SigningCredentials;
  /** The offset of the clock by which it was signed; undefined where clocks are not corrected. */
  readonly clockOffset: number | undefined;
}

export class Judge {
  readonly #sdk: KMSClient;
  readonly #makeClient: () => KMSClient;
  #send: SendCommand | undefined;

  /** @param makeClient makes a client like `sdk` whose requests reach {@link judgingHandler}; called once, when it is wanted */
  constructor(sdk: KMSClient, makeClient: () => KMSClient) {
    this.#sdk = sdk;
    this.#makeClient = makeClient;
  }

  async judge(outcome: Outcome, { command, credentials, clockOffset }: Judged): Promise<Reply> {
    withholdSecrets(credentials);
    try {
      this.#send ??= sendingBy(this.#client());
      return await this.#send(command, { outcome });
    } catch (error) {
      // Another request may have learnt the time since this one was signed.
      const isOutdated =
        clockOffset !== undefined && Math.abs(this.#sdk.config.systemClockOffset - clockOffset) >= maxSkewMs;
      const metadata: unknown = Reflect.get(Object(error), "$metadata");
      if (isOutdated && typeof metadata === "object" && metadata !== null) {
        Reflect.set(metadata, "clockSkewCorrected", true);
      }
      throw error;
    }
  }

  #client(): KMSClient {
    const client = this.#makeClient();
    shareClock(this.#sdk, client);
    return client;
  }
}

/** What either learns of the server's time, the other knows. */
function shareClock(sdk: KMSClient, judge: KMSClient): void {
  Object.defineProperty(judge.config, "systemClockOffset", {
    get: () => sdk.config.systemClockOffset,
    set: (offset: number) => {
      sdk.config.systemClockOffset = offset;
    },
  });
}
