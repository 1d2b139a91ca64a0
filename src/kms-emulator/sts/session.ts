/** Opens sessions: what the AssumeRole operations have in common. */
import { randomBytes } from "node:crypto";
import type { Role } from "../directory/directory.ts";
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { PolicySyntaxError, parsePolicy } from "../policy/document.ts";
import type { SessionRecord, Tag } from "../state/records.ts";

interface SessionRequest {
  readonly role: Role;
  readonly name: string;
  readonly durationSeconds: number;
  readonly policies: readonly string[];
  readonly tags: readonly Tag[];
}

/** A session policy must be a policy; AWS's texts are not known [I]. */
export function requireSessionPolicy(text: string): void {
  try {
    parsePolicy(text);
  } catch (error) {
    if (!(error instanceof PolicySyntaxError)) throw error;
    throw new AwsException("MalformedPolicyDocument", error.message, { cause: error });
  }
}

/** Makes and stores the credentials of a session, and returns the members that both operations answer with. */
export function openSession(context: OperationContext, request: SessionRequest): object {
  const { role, name } = request;
  const partition = role.arn.split(":")[1] ?? "aws";
  const session: SessionRecord = {
    accessKeyId: `ASIA${context.random.letters(16)}`,
    secretAccessKey: randomBytes(30).toString("base64"),
    sessionToken: randomBytes(120).toString("base64"),
    expiresAtMs: Math.floor(context.clock() / 1000 + request.durationSeconds) * 1000,
    arn: `arn:${partition}:sts::${role.account}:assumed-role/${role.name}/${name}`,
    userId: `${role.roleId}:${name}`,
    roleArn: role.arn,
    policies: request.policies,
    tags: request.tags,
  };
  context.commit({ kind: "put-session", session });
  const hasPolicies = request.policies.length > 0 || request.tags.length > 0;
  return {
    Credentials: {
      AccessKeyId: session.accessKeyId,
      SecretAccessKey: session.secretAccessKey,
      SessionToken: session.sessionToken,
      Expiration: new Date(session.expiresAtMs),
    },
    AssumedRoleUser: { AssumedRoleId: session.userId, Arn: session.arn },
    ...(hasPolicies ? { PackedPolicySize: packedSize(request) } : {}),
  };
}

/** Percentage of the space for policies and tags that is used up; AWS's packing is its own secret. */
const packedSize = ({ policies, tags }: SessionRequest): number =>
  Math.min(100, Math.ceil((policies.join("").length + JSON.stringify(tags).length) / 40));
