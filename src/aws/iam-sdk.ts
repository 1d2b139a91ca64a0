/** IAM's client of the AWS SDK, in a file of its own: it is loaded only when a role is asked about, which most processes do once or never. */
import { GetRoleCommand, IAMClient, type IAMClientConfig, IAMServiceException } from "@aws-sdk/client-iam";
import { withholdCredentials } from "./credentials/withhold-credentials.ts";

export interface IamSdk {
  /** Whether the environment or the shared configuration places IAM (`AWS_ENDPOINT_URL_IAM`, `AWS_ENDPOINT_URL`). */
  hasOwnEndpoint(): Promise<boolean>;
  /** Rejects as the SDK does. */
  getRole(roleName: string, abort: { readonly abortSignal?: AbortSignal }): Promise<unknown>;
}

/** Exceptions by the names that IAM gives them: to some the SDK's model adds "Exception". */
function withOwnName(error: unknown): unknown {
  const code: unknown = error instanceof IAMServiceException ? Reflect.get(error, "Code") : undefined;
  if (error instanceof IAMServiceException && typeof code === "string") error.name = code;
  return error;
}

/** @param options of a client that makes no retries of its own (`maxAttempts: 1`) */
export function iamSdk(options: IAMClientConfig): IamSdk {
  const sdk = new IAMClient(options);
  withholdCredentials(sdk);
  return {
    hasOwnEndpoint: async () => (await sdk.config.serviceConfiguredEndpoint?.()) !== undefined,
    async getRole(roleName, abort) {
      try {
        return await sdk.send(new GetRoleCommand({ RoleName: roleName }), abort);
      } catch (error) {
        throw withOwnName(error);
      }
    },
  };
}
