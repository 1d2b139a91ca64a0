/** What every client is given: where KMS is, who it is, what to trust. Nothing of this machine's own settings. */
import type { Emulator } from "../../../src/kms-emulator/index.ts";

export const region = "us-east-1";

/** An access key is 20 characters for some clients. */
export const credentials = {
  accessKeyId: "AKIDCLIENT0000000001",
  secretAccessKey: "a-secret-of-forty-characters-or-so-12345",
};

/** Of the environment of this process only what programs need to run at all. */
const kept = ["PATH", "HOME", "TMPDIR", "SystemRoot", "LANG", "GOCACHE", "GOPATH", "GOMODCACHE"];

export function environmentFor({ endpoint, tls }: Pick<Emulator, "endpoint" | "tls">): NodeJS.ProcessEnv {
  const own = Object.fromEntries(
    kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]])),
  );
  return {
    ...own,
    AWS_ENDPOINT_URL: endpoint,
    AWS_REGION: region,
    // AWS CLI v1 and boto3 read this one.
    AWS_DEFAULT_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_CONFIG_FILE: "/nowhere",
    AWS_SHARED_CREDENTIALS_FILE: "/nowhere",
    AWS_CA_BUNDLE: tls?.caFile,
    SSL_CERT_FILE: tls?.caFile,
    NODE_EXTRA_CA_CERTS: tls?.caFile,
  };
}
