/**
 * Requests without the SDK's middleware, which costs several times what the rest of a call does.
 *
 * The SDK makes the first request with any credentials; from then on requests are made from its {@link LearntForms form}, signed,
 * and sent over the same HTTP handler, with the same clock and credentials. Only what plainly is an answer to the operation is
 * taken from what comes. All else, refusals, nonsense and broken connections, is put before a second SDK client as if it had
 * met it: what the caller gets to know, and what is learnt about the clock, is the SDK's judgement.
 */
import { randomUUID } from "node:crypto";
import { Readable } from "node:stream";
import type { KMSClient } from "@aws-sdk/client-kms";
import { collect } from "../calls/body.ts";
import type { Cut } from "../calls/cut.ts";
import { errorTypeHeader } from "../calls/plain-json.ts";
import type { Transport } from "../transport/own-transport.ts";
import { type Answer, dateOf, headerOf, type Place } from "../transport/wire-request.ts";
import { Judge, type Outcome } from "./judge.ts";
import { LearntForms } from "./learnt-forms.ts";
import type { Operation } from "./operations.ts";
import { plainOutput } from "./plain-answer.ts";
import { PlainReply, type Reply, type Send, type SendCommand } from "./reply.ts";
import type { RequestForm } from "./request-form.ts";
import { amzDate, type SigningCredentials } from "./sigv4.ts";
import { throttlingIn } from "./throttling.ts";

interface LeanOptions {
  readonly sdk: KMSClient;
  /** By that client. */
  readonly send: SendCommand;
  /** Makes a client like `sdk` whose requests reach the judge's handler. Called once, when there is something to judge. */
  readonly makeJudge: () => KMSClient;
  readonly transport: Transport;
  /** At once where they are held. */
  readonly credentials: () => SigningCredentials | Promise<SigningCredentials>;
}

/** One request. */
interface Call<Members> {
  readonly operation: Operation<Members>;
  readonly members: Members;
  readonly credentials: SigningCredentials;
  readonly cut: Cut;
}

const noTime = { text: undefined, at: Number.NEGATIVE_INFINITY, offset: 0 };

export class LeanSender {
  readonly #options: LeanOptions;
  readonly #forms: LearntForms;
  readonly #judge: Judge;
  /** The last date that an answer told, when it came, and what was made of it. */
  #latestTime: { readonly text: string | undefined; readonly at: number; readonly offset: number } = noTime;

  constructor(options: LeanOptions) {
    this.#options = options;
    this.#forms = new LearntForms(options.sdk, options.send);
    this.#judge = new Judge(options.sdk, options.makeJudge);
  }

  /** The requests of one operation. */
  readonly sending =
    <Members>(operation: Operation<Members>): Send<Members> =>
    (members, cut) => {
      const credentials = this.#options.credentials();
      if (!(credentials instanceof Promise)) return this.#sendCall({ operation, members, credentials, cut });
      return credentials.then((fetched) => this.#sendCall({ operation, members, credentials: fetched, cut }));
    };

  /**
   * Learns the form before the first request, without sending one.
   *
   * @returns where requests will go, if that is known by now
   */
  async prepare(): Promise<Place | undefined> {
    return this.#forms.prepare(await this.#options.credentials());
  }

  #sendCall<Members>(call: Call<Members>): Promise<Reply> {
    const { operation, members, credentials, cut } = call;
    const form = this.#forms.formFor(operation.name, credentials);
    if (form === undefined) return this.#forms.send(operation, members, credentials, cut.signal);
    return this.#exchange(form, call);
  }

  async #exchange<Members>(form: RequestForm, call: Call<Members>): Promise<Reply> {
    const { operation, members, credentials, cut } = call;
    const { sdk, transport } = this.#options;
    const { systemClockOffset } = sdk.config;
    const { isClockCorrected } = this.#forms;
    const date = amzDate(Date.now() + (isClockCorrected ? systemClockOffset : 0));
    let outcome: Outcome;
    try {
      const answer = await transport.send(form.request(operation.body(members), date, randomUUID()), cut);
      const { body } = answer.response;
      const reply = Buffer.isBuffer(body)
        ? this.#replyIn(answer, body, operation)
        : await this.#collectedReply(answer, operation);
      if (reply !== undefined) return reply;
      outcome = { answer };
    } catch (failure) {
      outcome = { failure };
    }
    const throttled = "answer" in outcome ? throttlingIn(outcome.answer.response, systemClockOffset) : undefined;
    if (throttled !== undefined) throw throttled;
    const clockOffset = isClockCorrected ? systemClockOffset : undefined;
    return this.#judge.judge(outcome, { command: operation.command(members), credentials, clockOffset });
  }

  /** What is plainly an answer; undefined for all else, with the body put back. */
  async #collectedReply<Members>(answer: Answer, operation: Operation<Members>): Promise<Reply | undefined> {
    const { response } = answer;
    if (response.statusCode !== 200) return undefined;
    try {
      const body = await collect(response.body);
      response.body = body;
      return this.#replyIn(answer, body, operation);
    } catch (error) {
      response.body = new Readable({
        read() {
          this.destroy(error as Error);
        },
      });
      return undefined;
    }
  }

  #replyIn<Members>({ response }: Answer, body: Buffer, { answer }: Operation<Members>): Reply | undefined {
    if (response.statusCode !== 200) return undefined;
    const output = plainOutput(answer, body, headerOf(response, errorTypeHeader));
    if (output === undefined) return undefined;
    this.#learnTime(response);
    return new PlainReply(output, response);
  }

  /** As the SDK learns it from every answer; from one of those that have the same date, which is told in seconds. */
  #learnTime(response: Answer["response"]): void {
    const date = dateOf(response);
    const { config } = this.#options.sdk;
    const now = Date.now();
    const { text, at, offset } = this.#latestTime;
    if (date === text && Math.abs(now - at) < 1_000 && config.systemClockOffset === offset) return;
    const [scheme] = config.httpAuthSchemes;
    const { isClockCorrected } = this.#forms;
    scheme?.signer.successHandler?.(response, { config, _skipClockSkewSampling: !isClockCorrected });
    this.#latestTime = { text: date, at: now, offset: config.systemClockOffset };
  }
}
