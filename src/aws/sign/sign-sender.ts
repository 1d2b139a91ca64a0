/**
 * Sign requests without the SDK's middleware, which costs several times what the rest of a signature does.
 *
 * The SDK makes the first requests with any credentials; from then on requests are made from their {@link SignForm}, signed,
 * and sent over the same HTTP handler, with the same clock and credentials. Only what is plainly a signature is taken from
 * an answer here. All else, refusals, nonsense and broken connections, is put before a second SDK client as if it had
 * met it: what the caller gets to know, and what is learnt about the clock, is the SDK's judgement.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import { type KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { collect } from "../calls/body.ts";
import type { Cut } from "../calls/cut.ts";
import { withholdSecrets } from "../credentials/withhold-credentials.ts";
import type { Transport } from "../transport/own-transport.ts";
import { type Answer, dateOf, type HttpRequestLike, type Place } from "../transport/wire-request.ts";
import { plainSignature, throttlingIn } from "./sign-answers.ts";
import { SignForm, type SignMembers } from "./sign-form.ts";
import { amzDate, type SigningCredentials } from "./sigv4.ts";

/** What came of a Sign request. */
export interface SignReply {
  /** The answer's members, bytes decoded. */
  readonly output: unknown;
}

/** Sends one Sign request. Rejects as the SDK does. */
export type SendSign = (members: SignMembers, cut: Cut) => Promise<SignReply>;

/** Every request through the SDK. */
export const sendBySdk =
  (sdk: KMSClient): SendSign =>
  async (members, cut) => ({
    output: await sdk.send(new SignCommand(members), { abortSignal: cut.signal }),
  });

/** What the judge's HTTP handler answers with. */
export type Outcome = { readonly answer: Answer } | { readonly failure: unknown };

interface LeanSignOptions {
  readonly sdk: KMSClient;
  /** Makes a client like `sdk` whose requests reach {@link judgingHandler}. Called once, when there is something to judge. */
  readonly makeJudge: () => KMSClient;
  readonly transport: Transport;
  /** At once where they are held. */
  readonly credentials: () => SigningCredentials | Promise<SigningCredentials>;
}

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

/** What a request ends with that is made, but not sent. */
const notSent = new Error("the request was not to be sent");
const unsentSignature = { SigningAlgorithm: "ECDSA_SHA_256", MessageType: "DIGEST" } as const;

const noTime = { text: undefined, at: Number.NEGATIVE_INFINITY, offset: 0 };

/** As the SDK has it: a clock that is four minutes wrong explains a refusal. */
const maxSkewMs = 240_000;

export class LeanSignSender {
  readonly #options: LeanSignOptions;
  #form: SignForm | undefined;
  #lastLearnt: SignForm | undefined;
  #isClockCorrected = true;
  #judgingClient: KMSClient | undefined;
  /** The last date that an answer told, when it came, and what was made of it. */
  #latestTime: { readonly text: string | undefined; readonly at: number; readonly offset: number } = noTime;

  constructor(options: LeanSignOptions) {
    this.#options = options;
  }

  readonly send: SendSign = (members, cut) => {
    const credentials = this.#options.credentials();
    if (!(credentials instanceof Promise)) return this.#sendWith(credentials, members, cut);
    return credentials.then((fetched) => this.#sendWith(fetched, members, cut));
  };

  #sendWith(credentials: SigningCredentials, members: SignMembers, cut: Cut): Promise<SignReply> {
    const form = this.#form;
    if (form?.isFor(credentials) !== true) return this.#learn(members, credentials, cut.signal);
    return this.#exchange(form, members, credentials, cut);
  }

  async #exchange(form: SignForm, members: SignMembers, credentials: SigningCredentials, cut: Cut): Promise<SignReply> {
    const { sdk, transport } = this.#options;
    const { systemClockOffset } = sdk.config;
    const date = amzDate(Date.now() + (this.#isClockCorrected ? systemClockOffset : 0));
    let outcome: Outcome;
    try {
      const answer = await transport.send(form.request(members, date, randomUUID()), cut);
      const { body } = answer.response;
      const reply = Buffer.isBuffer(body) ? this.#replyIn(answer, body) : await this.#collectedReply(answer);
      if (reply !== undefined) return reply;
      outcome = { answer };
    } catch (failure) {
      outcome = { failure };
    }
    const throttled = "answer" in outcome ? throttlingIn(outcome.answer.response, systemClockOffset) : undefined;
    if (throttled !== undefined) throw throttled;
    return this.#judge(outcome, members, credentials, systemClockOffset);
  }

  /** What is plainly a signature; undefined for all else, with the body put back. */
  async #collectedReply(answer: Answer): Promise<SignReply | undefined> {
    const { response } = answer;
    if (response.statusCode !== 200) return undefined;
    try {
      const body = await collect(response.body);
      response.body = body;
      return this.#replyIn(answer, body);
    } catch (error) {
      response.body = new Readable({
        read() {
          this.destroy(error as Error);
        },
      });
      return undefined;
    }
  }

  #replyIn({ response }: Answer, body: Buffer): SignReply | undefined {
    const output = response.statusCode === 200 ? plainSignature(body) : undefined;
    if (output === undefined) return undefined;
    this.#learnTime(response);
    return { output };
  }

  /** As the SDK learns it from every answer; from one of those that have the same date, which is told in seconds. */
  #learnTime(response: Answer["response"]): void {
    const date = dateOf(response);
    const { config } = this.#options.sdk;
    const now = Date.now();
    const { text, at, offset } = this.#latestTime;
    if (date === text && Math.abs(now - at) < 1_000 && config.systemClockOffset === offset) return;
    const [scheme] = config.httpAuthSchemes;
    scheme?.signer.successHandler?.(response, { config, _skipClockSkewSampling: !this.#isClockCorrected });
    this.#latestTime = { text: date, at: now, offset: config.systemClockOffset };
  }

  async #judge(
    outcome: Outcome,
    members: SignMembers,
    credentials: SigningCredentials,
    clockOffset: number,
  ): Promise<SignReply> {
    const { sdk } = this.#options;
    withholdSecrets(credentials);
    try {
      const output = await this.#judgeClient().send(new SignCommand(members), { outcome } as object);
      return { output };
    } catch (error) {
      // Another request may have learnt the time since this one was signed.
      const isOutdated = this.#isClockCorrected && Math.abs(sdk.config.systemClockOffset - clockOffset) >= maxSkewMs;
      const metadata: unknown = Reflect.get(Object(error), "$metadata");
      if (isOutdated && typeof metadata === "object" && metadata !== null) {
        Reflect.set(metadata, "clockSkewCorrected", true);
      }
      throw error;
    }
  }

  #judgeClient(): KMSClient {
    if (this.#judgingClient === undefined) {
      const { sdk, makeJudge } = this.#options;
      this.#judgingClient = makeJudge();
      shareClock(sdk, this.#judgingClient);
    }
    return this.#judgingClient;
  }

  /**
   * Learns the form before the first signature: the SDK makes requests that are not sent.
   *
   * @returns where signatures will be asked for, if that is known by now
   */
  async prepare(): Promise<Place | undefined> {
    const credentials = await this.#options.credentials();
    const members = { KeyId: "none", Message: new Uint8Array(32), ...unsentSignature };
    // The first may differ from all others.
    for (let made = 0; made < 3 && this.#form === undefined; made++) {
      await this.#learn(members, credentials, new AbortController().signal, false).catch((error: unknown) => {
        if (error !== notSent) throw error;
      });
    }
    return this.#form?.place;
  }

  /** One request by the SDK, and its form when it has one. */
  async #learn(
    members: SignMembers,
    credentials: SigningCredentials,
    signal: AbortSignal,
    isSent = true,
  ): Promise<SignReply> {
    const { sdk } = this.#options;
    const command = new SignCommand(members);
    let made: HttpRequestLike | undefined;
    command.middlewareStack.add(
      (next) => (args) => {
        made = args.request as HttpRequestLike;
        if (!isSent) {
          this.#take(SignForm.learn(made, members, credentials));
          throw notSent;
        }
        return next(args);
      },
      { step: "deserialize", priority: "low", name: "learnSignForm" },
    );
    const output = await sdk.send(command, { abortSignal: signal });
    this.#isClockCorrected = (await sdk.config.disableClockSkewCorrection()) !== true;
    if (made !== undefined) this.#take(SignForm.learn(made, members, credentials));
    return { output };
  }

  /** A client's first request may differ from all others: it does not yet know of an endpoint in its environment. */
  #take(form: SignForm | undefined): void {
    const isSettled = form !== undefined && this.#lastLearnt?.isLike(form) === true;
    this.#form = isSettled ? form : undefined;
    this.#lastLearnt = form;
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
