/** The OperatorClient port over AWS SDK v3. Only the command line imports it: no plugin can cancel, enable or probe anything. */
import {
  CancelKeyDeletionCommand,
  DescribeKeyCommand,
  EnableKeyCommand,
  GetKeyLastUsageCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListResourceTagsCommand,
  ReplicateKeyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
} from "@aws-sdk/client-kms";
import {
  isKmsError,
  type KmsError,
  type OperatorClient,
  type ProbedOperation,
  type SigningAlgorithmSpec,
} from "../key-manager/ports.ts";
import { Answer } from "./calls/answer.ts";
import { pages } from "./calls/pages.ts";
import { type Caller, withRetries } from "./calls/retry.ts";

/** Of SHA-256's, 384's and 512's length; what stands in it does not matter, for nothing is signed. */
const digestFor = (algorithm: SigningAlgorithmSpec): Uint8Array =>
  new Uint8Array(algorithm.endsWith("256") ? 32 : algorithm.endsWith("384") ? 48 : 64);

const dryRunSucceeded = "DryRunOperationException";

export class AwsOperatorClient implements OperatorClient {
  readonly #sdk: KMSClient;
  readonly #caller: Caller;

  constructor(sdk: KMSClient, caller: Caller) {
    this.#sdk = sdk;
    this.#caller = caller;
  }

  async #call<T>(operation: string, call: () => Promise<T>): Promise<T> {
    return withRetries(call, { operation, caller: this.#caller, signal: undefined, repeatable: true });
  }

  async cancelKeyDeletion(keyId: string): Promise<void> {
    await this.#call("CancelKeyDeletion", () => this.#sdk.send(new CancelKeyDeletionCommand({ KeyId: keyId })));
  }

  async enableKey(keyId: string): Promise<void> {
    await this.#call("EnableKey", () => this.#sdk.send(new EnableKeyCommand({ KeyId: keyId })));
  }

  async listResourceTags(keyId: string): Promise<ReadonlyMap<string, string>> {
    const tags = new Map<string, string>();
    const listing = pages({
      operation: "ListResourceTags",
      caller: this.#caller,
      signal: undefined,
      fetch: async (Marker) => {
        const answer = new Answer(
          "ListResourceTags",
          await this.#sdk.send(new ListResourceTagsCommand({ KeyId: keyId, Marker })),
        );
        return { items: answer.list("Tags"), next: answer.optionalText("NextMarker") };
      },
    });
    for await (const { items } of listing) {
      for (const tag of items) tags.set(tag.text("TagKey"), tag.optionalText("TagValue") ?? "");
    }
    return tags;
  }

  async getKeyPolicy(keyId: string): Promise<string> {
    return this.#call("GetKeyPolicy", async () =>
      new Answer("GetKeyPolicy", await this.#sdk.send(new GetKeyPolicyCommand({ KeyId: keyId }))).text("Policy"),
    );
  }

  async signDryRun(keyId: string, signingAlgorithm: SigningAlgorithmSpec): Promise<void> {
    const input = {
      KeyId: keyId,
      Message: digestFor(signingAlgorithm),
      MessageType: "DIGEST",
      SigningAlgorithm: signingAlgorithm,
      DryRun: true,
    } as const;
    try {
      await this.#call("Sign", () => this.#sdk.send(new SignCommand(input)));
    } catch (error) {
      if (!isKmsError(error) || error.awsName !== dryRunSucceeded) throw error;
    }
  }

  async probe(operation: ProbedOperation, keyArn: string, otherRegion?: string): Promise<KmsError | undefined> {
    try {
      await this.#call(operation, () => this.#ask(operation, keyArn, otherRegion));
      return undefined;
    } catch (error) {
      if (isKmsError(error)) return error;
      throw error;
    }
  }

  #ask(operation: ProbedOperation, KeyId: string, ReplicaRegion: string | undefined): Promise<unknown> {
    switch (operation) {
      case "ListAliases":
        return this.#sdk.send(new ListAliasesCommand({ Limit: 1 }));
      case "ReplicateKey":
        return this.#sdk.send(new ReplicateKeyCommand({ KeyId, ReplicaRegion }));
      case "DescribeKey":
        return this.#sdk.send(new DescribeKeyCommand({ KeyId }));
      case "GetPublicKey":
        return this.#sdk.send(new GetPublicKeyCommand({ KeyId }));
      case "Sign":
        return this.#sdk.send(
          new SignCommand({
            KeyId,
            Message: digestFor("ECDSA_SHA_256"),
            MessageType: "DIGEST",
            SigningAlgorithm: "ECDSA_SHA_256",
            DryRun: true,
          }),
        );
      case "GetKeyLastUsage":
        return this.#sdk.send(new GetKeyLastUsageCommand({ KeyId }));
      case "ScheduleKeyDeletion":
        return this.#sdk.send(new ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 30 }));
      case "TagResource":
        return this.#sdk.send(new TagResourceCommand({ KeyId, Tags: [] }));
    }
  }
}
