/**
 * The AWS SDK's clients over the embedded KMS in virtual time: requests and answers are under way for a while, may be
 * lost, delayed, refused or falsified, and the HTTP handler's time limits and the caller's signal are kept.
 *
 * What is under test, from `src/aws` on, is the plugin's own code.
 */
import { GetRoleCommand } from "@aws-sdk/client-iam";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import type { STSClient } from "@aws-sdk/client-sts";
import { AwsIamClient, type GetRole } from "../../src/aws/iam-client.ts";
import { AwsKmsClient } from "../../src/aws/kms-client.ts";
import { AwsStsClient } from "../../src/aws/sts-client.ts";
import { AwsTaggingClient } from "../../src/aws/tagging-client.ts";
import type { Clients } from "../../src/key-manager/configured-key-manager.ts";
import type { Clock } from "../../src/key-manager/ports.ts";
import type { Telemetry } from "../../src/key-manager/telemetry.ts";
import { AwsException, EmulatorError } from "../../src/kms-emulator/index.ts";

/** What becomes of one request. */
export interface Passage {
  /** Virtual milliseconds until the request takes effect. */
  readonly toMs: number;
  /** Virtual milliseconds until its answer is there. */
  readonly backMs: number;
  /** Carries the request out, or something else instead. Rejects like `EmulatorControl.call`, or as the SDK does. */
  readonly effect: () => Promise<unknown>;
}

export interface SimulatedSdkOptions {
  /** The network's: what is under way goes on when the process is killed. */
  readonly clock: Clock;
  /** The process's own, for its retries. */
  readonly callerClock: Clock;
  readonly telemetry: Telemetry;
  /** KMS's own time, for the `Date` header. */
  readonly serverTime: () => Date;
  readonly passageOf: (operation: string, input: object) => Passage;
  /** A killed process hears no answers and sends nothing. */
  readonly isAlive: () => boolean;
  readonly discardCredentials?: () => boolean;
}

/** As in `src/aws/clients.ts`. */
const requestTimeoutMs = 8_000;

const never = <T>(): Promise<T> => new Promise<T>(() => undefined);

let requests = 0;

/** As the SDK throws it. */
export function sdkError(error: unknown): unknown {
  if (error instanceof AwsException) {
    const requestId = `00000000-0000-4000-8000-${String(++requests).padStart(12, "0")}`;
    const $metadata = { httpStatusCode: error.status, requestId };
    const $fault = error.status < 500 ? "client" : "server";
    return Object.assign(new Error(error.message), { name: error.code, $fault, $metadata });
  }
  if (error instanceof EmulatorError) {
    return Object.assign(new Error("socket hang up"), { code: "ECONNRESET", name: "TimeoutError" });
  }
  return error;
}

interface SendOptions {
  readonly abortSignal?: AbortSignal;
  readonly requestTimeout?: number;
}
interface Answer {
  readonly output: unknown;
  readonly response: { readonly headers: { readonly date: string } };
}
type Middleware = (next: (args: unknown) => Promise<Answer>) => (args: unknown) => Promise<Answer>;

/** As much of an SDK client as the adapters use. */
class SimulatedSdk {
  readonly #options: SimulatedSdkOptions;
  #around: Middleware = (next) => next;
  readonly middlewareStack = {
    add: (middleware: Middleware) => {
      this.#around = middleware;
    },
  };

  constructor(options: SimulatedSdkOptions) {
    this.#options = options;
  }

  async send(command: { readonly input: object }, options: SendOptions = {}): Promise<unknown> {
    if (!this.#options.isAlive()) return never();
    const { abortSignal, requestTimeout = requestTimeoutMs } = options;
    const operation = command.constructor.name.replace(/Command$/, "");
    const stop = new AbortController();
    const ends: Promise<never>[] = [this.#timeout(requestTimeout, stop.signal)];
    if (abortSignal !== undefined) ends.push(whenAborted(abortSignal, stop.signal));
    const exchange = this.#around(() => this.#exchange(operation, command.input))({});
    exchange.catch(() => undefined);
    try {
      const { output } = await Promise.race([exchange, ...ends]);
      return this.#options.isAlive() ? output : await never();
    } catch (error) {
      if (!this.#options.isAlive()) return await never();
      throw error;
    } finally {
      stop.abort();
    }
  }

  async #exchange(operation: string, input: object): Promise<Answer> {
    const { clock, serverTime, passageOf } = this.#options;
    const { toMs, backMs, effect } = passageOf(operation, structuredClone(input));
    await clock.sleep(toMs);
    // Of what a killed process had sent, some arrives.
    if (!this.#options.isAlive() && clock.random() < 0.5) return never();
    try {
      const output = await effect();
      const date = serverTime().toUTCString();
      await clock.sleep(backMs);
      return { output: output ?? {}, response: { headers: { date } } };
    } catch (error) {
      await clock.sleep(backMs);
      throw sdkError(error);
    }
  }

  async #timeout(ms: number, stop: AbortSignal): Promise<never> {
    await this.#options.clock.sleep(ms, stop).catch(() => never());
    throw Object.assign(new Error(`a request has exceeded ${ms} ms`), { name: "TimeoutError", code: "ETIMEDOUT" });
  }
}

function whenAborted(signal: AbortSignal, stop: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const abort = () => reject(Object.assign(new Error("Request aborted"), { name: "AbortError" }));
    if (signal.aborted) abort();
    signal.addEventListener("abort", abort, { once: true });
    stop.addEventListener("abort", () => signal.removeEventListener("abort", abort), { once: true });
  });
}

/** The three clients of one process. */
export function simulatedClients(options: SimulatedSdkOptions): Clients {
  const { callerClock: clock, telemetry, discardCredentials = () => false } = options;
  const caller = { clock, telemetry, discardCredentials };
  const simulated = new SimulatedSdk(options);
  const sdk: unknown = simulated;
  const getRole: GetRole = (RoleName, abort) => simulated.send(new GetRoleCommand({ RoleName }), abort);
  return {
    kms: new AwsKmsClient(sdk as KMSClient, caller),
    sts: new AwsStsClient(sdk as STSClient, caller),
    iam: new AwsIamClient(async () => getRole, caller),
    tagging: new AwsTaggingClient(sdk as ResourceGroupsTaggingAPIClient, caller),
    close() {},
  };
}
