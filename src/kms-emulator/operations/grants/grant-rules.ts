/** What CreateGrant asks of its operations, principals and constraints. */
import { AwsException, invalid } from "../../exceptions.ts";
import type { OperationContext } from "../../framework/context.ts";
import type { CreateGrantRequest } from "../../model/kms-types.gen.ts";
import { isPrincipalShaped } from "../../policy/principals.ts";
import type { KeyRecord } from "../../state/records.ts";

const always = ["CreateGrant", "RetireGrant", "DescribeKey"];

/** Grant operations by what a key is for (KMS developer guide, "Grant operations"). */
const supported: Readonly<Record<string, readonly string[]>> = {
  symmetric: [
    "Decrypt",
    "Encrypt",
    "GenerateDataKey",
    "GenerateDataKeyWithoutPlaintext",
    "GenerateDataKeyPair",
    "GenerateDataKeyPairWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
  ],
  ENCRYPT_DECRYPT: ["Decrypt", "Encrypt", "GetPublicKey", "ReEncryptFrom", "ReEncryptTo"],
  SIGN_VERIFY: ["Sign", "Verify", "GetPublicKey"],
  GENERATE_VERIFY_MAC: ["GenerateMac", "VerifyMac"],
  KEY_AGREEMENT: ["DeriveSharedSecret", "GetPublicKey"],
  ENCAPSULATE_DECAPSULATE: ["Encapsulate", "Decapsulate", "GetPublicKey"],
};

/** Text of the second [I]. */
export function requireGrantOperations(key: KeyRecord, operations: readonly string[]): void {
  if (operations.length > 0 && operations.every((operation) => operation === "CreateGrant")) {
    throw invalid("Grants must not contain only the CreateGrant operation.");
  }
  const known = [...always, ...(supported[key.spec === "SYMMETRIC_DEFAULT" ? "symmetric" : key.usage] ?? [])];
  const stray = operations.find((operation) => !known.includes(operation));
  if (stray === undefined && operations.length > 0) return;
  if (stray === undefined) throw invalid("Operations must not be empty.");
  throw invalid(`Grant operation ${stray} is not supported for key spec ${key.spec} and key usage ${key.usage}.`);
}

/** Text [I]. */
export function requireGrantConstraints(key: KeyRecord, { Constraints }: CreateGrantRequest): void {
  const { EncryptionContextEquals, EncryptionContextSubset } = Constraints ?? {};
  if (EncryptionContextEquals && EncryptionContextSubset) throw invalid("More than one constraint supplied");
  if (!EncryptionContextEquals && !EncryptionContextSubset) return;
  if (key.spec === "SYMMETRIC_DEFAULT") return;
  throw invalid("Encryption context constraints are valid for symmetric encryption keys only.");
}

const missing = (member: string): AwsException =>
  invalid(
    `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`,
  );

/** A service as the older members name it. */
const isService = (name: string): boolean => /^[\w.-]+\.amazonaws\.com(?:\.cn)?$/.test(name);

function requirePrincipal(context: OperationContext, arn: string | undefined): void {
  if (arn === undefined || isService(arn)) return;
  if (arn !== "*" && isPrincipalShaped(arn) && context.directory.principalExists(arn)) return;
  throw new AwsException("InvalidArnException", `ARN does not refer to a valid principal: ${arn}`); // text [I]
}

/** Texts [I], except the first. */
export function requireGrantPrincipals(context: OperationContext, input: CreateGrantRequest): void {
  const { GranteePrincipal, GranteeServicePrincipal, RetiringPrincipal, RetiringServicePrincipal } = input;
  if (GranteePrincipal === undefined && GranteeServicePrincipal === undefined) throw missing("granteePrincipal");
  if (GranteePrincipal !== undefined && GranteeServicePrincipal !== undefined) {
    throw invalid("Specify GranteePrincipal or GranteeServicePrincipal, but not both.");
  }
  if (RetiringPrincipal !== undefined && RetiringServicePrincipal !== undefined) {
    throw invalid("Specify RetiringPrincipal or RetiringServicePrincipal, but not both.");
  }
  if (GranteeServicePrincipal !== undefined) {
    const isComplete = input.Constraints?.SourceArn && (RetiringPrincipal ?? RetiringServicePrincipal);
    if (!isComplete) throw invalid("A GranteeServicePrincipal needs a SourceArn constraint and a retiring principal.");
  }
  requirePrincipal(context, GranteePrincipal);
  requirePrincipal(context, RetiringPrincipal);
}
