/** The form of an SDK client's requests, learnt from those that it makes: the first with any credentials. */
import type { KMSClient, SignCommand } from "@aws-sdk/client-kms";
import type { HttpRequestLike, Place } from "../transport/wire-request.ts";
import { describeKey, type Operation } from "./operations.ts";
import type { Reply, SendCommand } from "./reply.ts";
import { RequestForm } from "./request-form.ts";
import type { SigningCredentials } from "./sigv4.ts";

/** What a request ends with that is made, but not sent. */
const notSent = new Error("the request was not to be sent");
const unsent = { KeyId: "none" };

export class LearntForms {
  readonly #sdk: KMSClient;
  readonly #send: SendCommand;
  #form: RequestForm | undefined;
  #lastLearnt: RequestForm | undefined;
  #isComparing = false;
  #isClockCorrected = true;

  constructor(sdk: KMSClient, send: SendCommand) {
    this.#sdk = sdk;
    this.#send = send;
  }

  /** Whether the SDK corrects its clock by that of the answers. */
  get isClockCorrected(): boolean {
    return this.#isClockCorrected;
  }

  /** @returns undefined when the SDK has to make the request */
  formFor(operation: string, credentials: SigningCredentials): RequestForm | undefined {
    const form = this.#form;
    return form?.isFor(credentials) === true ? form.to(operation) : undefined;
  }

  /** One request by the SDK, whose form is learnt. */
  send<Members>(
    operation: Operation<Members>,
    members: Members,
    credentials: SigningCredentials,
    signal: AbortSignal,
  ): Promise<Reply> {
    const compare = (): void => void this.#compare(credentials);
    return this.#sendLearning(operation, members, credentials, { onMade: compare, abortSignal: signal });
  }

  /**
   * Learns the form before the first request: the SDK makes some that are not sent.
   *
   * @returns where requests will go, if that is known by now
   */
  async prepare(credentials: SigningCredentials): Promise<Place | undefined> {
    // The first may differ from all others.
    for (let made = 0; made < 3 && this.#form?.isFor(credentials) !== true; made++) await this.#makeUnsent(credentials);
    return this.#form?.place;
  }

  /** One more than what is sent shows whether the SDK makes its requests alike: those that follow need not wait for its answer. */
  async #compare(credentials: SigningCredentials): Promise<void> {
    if (this.#isComparing || this.#form?.isFor(credentials) === true) return;
    this.#isComparing = true;
    try {
      await this.#makeUnsent(credentials);
    } catch {
      // The request that is sent meets the same, and tells it.
    } finally {
      this.#isComparing = false;
    }
  }

  async #makeUnsent(credentials: SigningCredentials): Promise<void> {
    const end = (): never => {
      throw notSent;
    };
    try {
      await this.#sendLearning(describeKey, unsent, credentials, { onMade: end });
    } catch (error) {
      if (error !== notSent) throw error;
    }
  }

  /** @param onMade called when the SDK has made the request; the request is sent when it returns */
  async #sendLearning<Members>(
    operation: Operation<Members>,
    members: Members,
    credentials: SigningCredentials,
    { onMade, abortSignal }: { readonly onMade: () => void; readonly abortSignal?: AbortSignal },
  ): Promise<Reply> {
    this.#isClockCorrected = (await this.#sdk.config.disableClockSkewCorrection()) !== true;
    const command = operation.command(members) as SignCommand;
    command.middlewareStack.add(
      (next) => (args) => {
        this.#take(RequestForm.learn(args.request as HttpRequestLike, operation.body(members), credentials));
        onMade();
        return next(args);
      },
      { step: "deserialize", priority: "low", name: "learnForm" },
    );
    return this.#send(command, abortSignal === undefined ? {} : { abortSignal });
  }

  /** A client's first request may differ from all others: it does not yet know of an endpoint in its environment. */
  #take(form: RequestForm | undefined): void {
    const isSettled = form !== undefined && this.#lastLearnt?.isLike(form) === true;
    this.#form = isSettled ? form : undefined;
    this.#lastLearnt = form;
  }
}
