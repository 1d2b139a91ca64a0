/**
 * The AWS SDK's clients over the embedded KMS in virtual time: each request goes by the passage that it is given, at once
 * or under way for a while, lost, refused or falsified; the HTTP handler's time limits and the caller's signal are kept.
 *
 * What is under test, from `src/aws` on, is the plugin's own code: retries, pages, error translation.
 */
import { GetRoleCommand } from "@aws-sdk/client-iam";
import type { KMSClient } from "@aws-sdk/client-kms";
import type { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import type { STSClient } from "@aws-sdk/client-sts";
import { AwsIamClient, type GetRole } from "../../src/aws/iam-client.ts";
import { AwsKmsClient } from "../../src/aws/kms-client.ts";
import { AwsStsClient } from "../../src/aws/sts-client.ts";
import { AwsTaggingClient } from "../../src/aws/tagging-client.ts";
import { getResourcesBy } from "../../src/aws/tagging-sdk.ts";
import type { Clock } from "../../src/key-manager/ports.ts";
import type { Telemetry } from "../../src/key-manager/telemetry.ts";
import { AwsException, EmulatorError } from "../../src/kms-emulator/index.ts";
import type { Passage } from "./passage.ts";

export interface SimulatedSdkOptions {
  /** The network's: what is under way goes on when the process is killed. */
  readonly clock: Clock;
  /** The process's own, for its retries. */
  readonly callerClock: Clock;
  readonly telemetry: Telemetry;
  /** KMS's own time, for the `Date` header. */
  readonly serverTime: () => Date;
  /** @param region where; undefined: in the Region of the configuration */
  readonly passageOf: (operation: string, input: object, region?: string) => Passage;
  /** A killed process hears no answers and sends nothing. Default: it lives for ever. */
  readonly isAlive?: () => boolean;
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
  // Cut before or after the request was carried out: the caller sees the same, by the name that the SDK gives to it.
  if (error instanceof EmulatorError && (error.code === "LOST_REPLY" || error.code === "CONNECTION_RESET")) {
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
  readonly #isAlive: () => boolean;
  #around: Middleware = (next) => next;
  readonly middlewareStack = {
    add: (middleware: Middleware) => {
      this.#around = middleware;
    },
  };

  constructor(options: SimulatedSdkOptions) {
    this.#options = options;
    this.#isAlive = options.isAlive ?? (() => true);
  }

  async send(command: { readonly input: object }, options: SendOptions = {}): Promise<unknown> {
    if (!this.#isAlive()) return never();
    const { abortSignal, requestTimeout = requestTimeoutMs } = options;
    if (abortSignal?.aborted) throw aborted();
    const operation = command.constructor.name.replace(/Command$/, "");
    const passage = this.#options.passageOf(operation, structuredClone(command.input));
    const exchange = this.#around(() => this.#exchange(passage))({});
    const ends: End[] = [];
    // What comes in time needs no timer.
    if (passage.toMs + passage.backMs >= requestTimeout) ends.push(this.#timeout(requestTimeout));
    if (abortSignal !== undefined) ends.push(whenAborted(abortSignal));
    try {
      const { output } = await Promise.race([exchange, ...ends.map(({ failure }) => failure)]);
      return this.#isAlive() ? output : await never();
    } catch (error) {
      if (!this.#isAlive()) return await never();
      throw error;
    } finally {
      for (const { forget } of ends) forget();
    }
  }

  async #exchange({ toMs, backMs, effect }: Passage): Promise<Answer> {
    const { clock, serverTime } = this.#options;
    if (toMs > 0) await clock.sleep(toMs);
    // Of what a killed process had sent, some arrives.
    if (!this.#isAlive() && clock.random() < 0.5) return never();
    try {
      const output = await effect();
      const date = serverTime().toUTCString();
      if (backMs > 0) await clock.sleep(backMs);
      return { output: output ?? {}, response: { headers: { date } } };
    } catch (error) {
      if (backMs > 0) await clock.sleep(backMs);
      throw sdkError(error);
    }
  }

  #timeout(ms: number): End {
    const stop = new AbortController();
    const late = () => {
      throw Object.assign(new Error(`a request has exceeded ${ms} ms`), { name: "TimeoutError", code: "ETIMEDOUT" });
    };
    const failure = this.#options.clock.sleep(ms, stop.signal).then(late, () => never<never>());
    return { failure, forget: () => stop.abort(over) };
  }
}

/** What may end a call before its answer is there. */
interface End {
  readonly failure: Promise<never>;
  readonly forget: () => void;
}

const over = new Error("the call is over");

const aborted = () => Object.assign(new Error("Request aborted"), { name: "AbortError" });

function whenAborted(signal: AbortSignal): End {
  let abort = (): void => undefined;
  const failure = new Promise<never>((_, reject) => {
    abort = () => reject(aborted());
  });
  signal.addEventListener("abort", abort, { once: true });
  return { failure, forget: () => signal.removeEventListener("abort", abort) };
}

/** The clients of one process. */
export function simulatedClients(options: SimulatedSdkOptions) {
  const { callerClock: clock, telemetry, discardCredentials = () => false } = options;
  const caller = { clock, telemetry, discardCredentials };
  const simulated = new SimulatedSdk(options);
  const sdk: unknown = simulated;
  const taggingBy = (there: unknown) => {
    const getResources = getResourcesBy(there as ResourceGroupsTaggingAPIClient);
    return new AwsTaggingClient(async () => getResources, caller);
  };
  const inRegion = (region: string) => {
    const { passageOf } = options;
    const there: unknown = new SimulatedSdk({ ...options, passageOf: (name, input) => passageOf(name, input, region) });
    return {
      kms: new AwsKmsClient(there as KMSClient, caller),
      tagging: taggingBy(there),
    };
  };
  const regions = new Map<string, ReturnType<typeof inRegion>>();
  const getRole: GetRole = (RoleName, abort) => simulated.send(new GetRoleCommand({ RoleName }), abort);
  return {
    kms: new AwsKmsClient(sdk as KMSClient, caller),
    sts: new AwsStsClient(sdk as STSClient, caller),
    iam: new AwsIamClient(async () => getRole, caller),
    tagging: taggingBy(sdk),
    inRegion(region: string) {
      const opened = regions.get(region) ?? inRegion(region);
      regions.set(region, opened);
      return opened;
    },
    close() {},
  };
}
