/** The StsClient port over AWS SDK v3. */
import { GetCallerIdentityCommand, type STSClient } from "@aws-sdk/client-sts";
import { type CallerIdentity, type CallOptions, KmsError, type StsClient } from "../key-manager/ports.ts";
import { abortBy, type Caller, withRetries } from "./retry.ts";

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
    const { Account, Arn } = await withRetries(
      () => this.#sdk.send(new GetCallerIdentityCommand({}), abortBy(signal)),
      { operation, caller: this.#caller, signal, repeatable: true },
    );
    if (Account === undefined || Arn === undefined) {
      throw new KmsError("the answer has no Account or Arn", {
        code: "Unavailable",
        operation,
        awsName: "MalformedResponse",
        outcomeUnknown: false,
      });
    }
    return { account: Account, arn: Arn };
  }
}
