/**
 * The key manager's clients over the embedded KMS, in process: the real adapters of `src/aws` with their retries, pages
 * and error translation, around an SDK client whose `send` is a call of the engine instead of an HTTP request.
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
import { noTelemetry } from "../../src/key-manager/telemetry.ts";
import { AwsException, EmulatorError } from "../../src/kms-emulator/index.ts";

/** Carries one AWS call out; rejects like `EmulatorControl.call`. */
export type Wire = (operation: string, input: object) => Promise<unknown>;

export interface EngineClientsOptions {
  readonly wire: Wire;
  /** What the retries wait by. */
  readonly clock: Clock;
  /** KMS's own time, for the `Date` header. */
  readonly serverTime: () => Date;
}

/** As the SDK throws it. */
function sdkError(operation: string, error: unknown): unknown {
  if (error instanceof AwsException) {
    const $metadata = { httpStatusCode: error.status, requestId: "00000000-0000-0000-0000-000000000000" };
    const $fault = error.status < 500 ? "client" : "server";
    return Object.assign(new Error(error.message), { name: error.code, $fault, $metadata });
  }
  if (error instanceof EmulatorError && error.code === "LOST_REPLY") {
    return Object.assign(new Error(`${operation}: no answer`), { name: "TimeoutError" });
  }
  if (error instanceof EmulatorError && error.code === "CONNECTION_RESET") {
    return Object.assign(new Error(error.message), { code: "ECONNRESET" });
  }
  return error;
}

interface Command {
  readonly input: object;
}

interface Answer {
  readonly output: unknown;
  readonly response: { readonly headers: { readonly date: string } };
}
type Middleware = (next: (args: unknown) => Promise<Answer>) => (args: unknown) => Promise<Answer>;

/** As much of an SDK client as the adapters use. */
class EngineSdk {
  readonly #options: EngineClientsOptions;
  #around: Middleware = (next) => next;
  readonly middlewareStack = {
    add: (middleware: Middleware) => {
      this.#around = middleware;
    },
  };

  constructor(options: EngineClientsOptions) {
    this.#options = options;
  }

  async send(command: Command, { abortSignal }: { abortSignal?: AbortSignal } = {}): Promise<unknown> {
    const operation = command.constructor.name.replace(/Command$/, "");
    const { wire, serverTime } = this.#options;
    if (abortSignal?.aborted) throw Object.assign(new Error("Request aborted"), { name: "AbortError" });
    const perform = async (): Promise<Answer> => {
      try {
        const output = await wire(operation, command.input);
        return { output: output ?? {}, response: { headers: { date: serverTime().toUTCString() } } };
      } catch (error) {
        throw sdkError(operation, error);
      }
    };
    return (await this.#around(perform)({})).output;
  }
}

/** The three clients of one process. */
export function engineClients(options: EngineClientsOptions): Clients {
  const caller = { clock: options.clock, telemetry: noTelemetry, discardCredentials: () => false };
  const simulated = new EngineSdk(options);
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
