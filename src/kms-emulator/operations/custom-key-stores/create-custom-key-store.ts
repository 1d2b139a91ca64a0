/** CreateCustomKeyStore: what it would stand on is not there, and that is what AWS says then. */
import { AwsException, invalid } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import type { CreateCustomKeyStoreRequest } from "../../model/kms-types.gen.ts";

/** Members that each kind of key store needs. */
const needed = {
  AWS_CLOUDHSM: ["CloudHsmClusterId", "TrustAnchorCertificate", "KeyStorePassword"],
  EXTERNAL_KEY_STORE: [
    "XksProxyUriEndpoint",
    "XksProxyUriPath",
    "XksProxyAuthenticationCredential",
    "XksProxyConnectivity",
  ],
} as const satisfies Record<string, readonly (keyof CreateCustomKeyStoreRequest)[]>;

/** Texts [I]. */
export const createCustomKeyStore = kmsOperation({
  name: "CreateCustomKeyStore",
  run(context, input) {
    context.access.require(context.caller, context.region, { action: "kms:CreateCustomKeyStore", resource: "*" });
    const kind = input.CustomKeyStoreType ?? "AWS_CLOUDHSM";
    const missing = needed[kind].find((member) => input[member] === undefined);
    if (missing !== undefined) throw invalid(`${missing} is required for a custom key store of type ${kind}.`);
    if (kind === "AWS_CLOUDHSM") {
      throw new AwsException("CloudHsmClusterNotFoundException", `Cluster ${input.CloudHsmClusterId} does not exist.`);
    }
    const uri = `${input.XksProxyUriEndpoint}${input.XksProxyUriPath}`;
    throw new AwsException("XksProxyUriUnreachableException", `The external key store proxy ${uri} cannot be reached.`);
  },
});
