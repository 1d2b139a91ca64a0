/** The StsClient port over AWS SDK v3. */
import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import type { CallerIdentity, CallOptions, StsClient } from "../key-manager/ports.ts";
import { Answer } from "./calls/answer.ts";
import { abortBy, type Caller, withRetries } from "./calls/retry.ts";

export class AwsStsClient implements StsClient {
  readonly #sdk: STSClient;
  readonly #caller: Caller;

  /** @param sdk a client that makes no retries of its own (`maxAttempts: 1`) */
  constructor(sdk: STSClient, caller: Caller) {
    this.#sdk = sdk;
    this.#caller = caller;
  }

  async getCallerIdentity({ signal }: CallOptions = {}): Promise<CallerIdentity> {
    const operation = "GetCallerIdentity";
    const ask = async (): Promise<CallerIdentity> => {
      const answer = new Answer(operation, await this.#sdk.send(new GetCallerIdentityCommand({}), abortBy(signal)));
      return { account: answer.text("Account"), arn: answer.text("Arn") };
    };
    return withRetries(ask, { operation, caller: this.#caller, signal, repeatable: true });
  }
}
