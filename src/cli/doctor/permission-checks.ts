/**
 * Each permission of docs/iam.md by a harmless real call: on a key of the server where there is one, else by how KMS refuses
 * to do something to a key that cannot exist.
 */
import { explain, permissionOf } from "../../key-manager/errors.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { isKmsError, type KmsError, type ProbedOperation, type SigningAlgorithmSpec } from "../../key-manager/ports.ts";
import type { CommandClients } from "../aws-clients.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { usesTags } from "../policy/statement.ts";
import type { Findings } from "./finding.ts";

export interface PermissionContext {
  readonly configuration: CommandConfiguration;
  readonly clients: CommandClients;
  /** A usable key of this server. */
  readonly ownKey: KeyRow | undefined;
  /** ARN of a key of this account that cannot exist. */
  readonly noKey: string;
  readonly findings: Findings;
}

/** What follows where it is missing; `fails`: SPIRE Server would not start, or make no key, or not sign. */
export interface Need {
  readonly permission: string;
  /** `in us-west-2`, where that is not the server's own Region. */
  readonly where?: string;
  readonly fails: boolean;
  readonly without: string;
}

const needs = {
  DescribeKey: { permission: "kms:DescribeKey", fails: true, without: "a start fails as soon as there is a key" },
  GetPublicKey: {
    permission: "kms:GetPublicKey",
    fails: true,
    without: "a start fails as soon as there is a key, and no key can be made",
  },
  Sign: { permission: "kms:Sign", fails: true, without: "nothing can be signed" },
  GetKeyLastUsage: {
    permission: "kms:GetKeyLastUsage",
    fails: false,
    without: "pruning goes by aliases and tags alone",
  },
  ScheduleKeyDeletion: {
    permission: "kms:ScheduleKeyDeletion",
    fails: false,
    without: "replaced keys stay and cost money",
  },
  TagResource: { permission: "kms:TagResource", fails: true, without: "no key can be made with the configured tags" },
} as const satisfies Partial<Record<ProbedOperation, Need>>;

const advice = (permission: string): string => `allow ${permission} (spire-aws-kms policy iam prints the whole policy)`;

const named = ({ permission, where }: Need): string => (where === undefined ? permission : `${permission} ${where}`);

function missing(need: Need, error: KmsError, { findings }: JudgeContext): void {
  const { permission, fails, without } = need;
  const told = `${named(need)} is missing: ${without}; ${error.message}`;
  if (fails) findings.problem(told, advice(permission), { permission });
  else findings.warning(told, advice(permission), { permission });
}

export type JudgeContext = Pick<PermissionContext, "configuration" | "findings">;

export function judge(need: Need, error: KmsError | undefined, how: string, context: JudgeContext): void {
  const { permission } = need;
  const { findings, configuration } = context;
  if (error === undefined || error.code === "NOT_FOUND") {
    findings.ok(`${named(need)} is allowed (${how})`, { permission });
  } else if (error.code !== "ACCESS_DENIED") {
    findings.unknown(`${named(need)} cannot be told: ${explain(error)}`, "look at the message, and run it again", {
      permission,
    });
  } else if (how === onNoKey && usesTags(configuration) && permissionOf(error) === permission) {
    findings.unknown(
      `${named(need)} is denied for a key that cannot exist; a condition on tags explains that as well`,
      `if no condition on tags binds it, ${advice(permission)}`,
      { permission },
    );
  } else missing({ ...need, permission: permissionOf(error) }, error, context);
}

export const onKey = "on a key of this server";
export const onNoKey = "asked of a key that cannot exist";

async function probe(
  operation: keyof typeof needs,
  context: PermissionContext,
  isRealKeyHarmless: boolean,
): Promise<void> {
  const { clients, ownKey, noKey } = context;
  const real = isRealKeyHarmless ? ownKey?.arn : undefined;
  judge(
    needs[operation],
    await clients.operator.probe(operation, real ?? noKey),
    real === undefined ? onNoKey : onKey,
    context,
  );
}

export const algorithmFor = ({ keySpec }: KeyRow): SigningAlgorithmSpec => {
  if (keySpec?.startsWith("RSA")) return "RSASSA_PKCS1_V1_5_SHA_256";
  return keySpec === "ECC_NIST_P384" ? "ECDSA_SHA_384" : "ECDSA_SHA_256";
};

async function checkSign(context: PermissionContext): Promise<void> {
  const { clients, ownKey } = context;
  if (ownKey?.arn === undefined) return probe("Sign", context, false);
  try {
    await clients.operator.signDryRun(ownKey.arn, algorithmFor(ownKey));
    judge(needs.Sign, undefined, `${onKey}, DryRun`, context);
  } catch (error) {
    if (!isKmsError(error)) throw error;
    judge(needs.Sign, error, onKey, context);
  }
}

/** No harmless call tells of these. */
function tellUnknowable({ configuration, findings }: PermissionContext): void {
  const { upkeep } = configuration.config;
  const rest = [
    "kms:CreateKey",
    "kms:CreateAlias",
    "kms:UpdateAlias",
    ...(upkeep === undefined ? [] : ["kms:DeleteAlias"]),
  ];
  for (const permission of rest) {
    findings.unknown(
      `${permission} cannot be tried without changing something, nor conditions on aliases and tags`,
      "compare with spire-aws-kms policy iam; IAM's policy simulator can tell, too",
      { permission },
    );
  }
}

/** All but those for listing, which the inventory has tried. */
export async function checkPermissions(context: PermissionContext): Promise<void> {
  const { configuration } = context;
  await probe("DescribeKey", context, true);
  await probe("GetPublicKey", context, true);
  await checkSign(context);
  if (configuration.config.upkeep !== undefined) await probe("GetKeyLastUsage", context, true);
  await probe("ScheduleKeyDeletion", context, false);
  // Tagging with no tag is refused by KMS itself, on a key that exists as well.
  if (usesTags(configuration)) await probe("TagResource", context, false);
  tellUnknowable(context);
}
