/** Keys in more Regions than one: whether each Region answers, what is allowed there, and how this server's replicas are. */
import { explain } from "../../key-manager/errors.ts";
import type { KeyMember } from "../../key-manager/inventory/key-member.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { isKmsError, type ProbedOperation } from "../../key-manager/ports.ts";
import { type CommandClients, createClients } from "../aws-clients.ts";
import type { CallCounter } from "../call-counter.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { usesTags } from "../policy/statement.ts";
import type { Findings } from "./finding.ts";
import { algorithmFor, judge, type Need, onKey, onNoKey } from "./permission-checks.ts";

export interface RegionsContext {
  readonly configuration: CommandConfiguration;
  /** Of the server's own Region. */
  readonly clients: CommandClients;
  readonly calls: CallCounter;
  /** Of this server, in its own Region. */
  readonly own: readonly KeyRow[];
  readonly noKey: string;
  readonly group: (name: string) => Findings;
}

/** An id of the form that multi-Region keys have. */
const noMultiRegionKey = "mrk-00000000000000000000000000000000";

type RegionNeed = Omit<Need, "where" | "fails"> & { readonly operation: ProbedOperation };

const inVain = "replicas do not become ready, or are not refreshed";
const replicaNeeds = (hasUpkeep: boolean, hasTags: boolean): readonly RegionNeed[] => [
  {
    operation: "ListAliases",
    permission: "kms:ListAliases",
    without: "replaced keys that have a replica there stay everywhere",
  },
  { operation: "DescribeKey", permission: "kms:DescribeKey", without: inVain },
  { operation: "GetPublicKey", permission: "kms:GetPublicKey", without: inVain },
  {
    operation: "ScheduleKeyDeletion",
    permission: "kms:ScheduleKeyDeletion",
    without: "replaced keys stay and cost money",
  },
  ...(hasUpkeep
    ? [
        {
          operation: "GetKeyLastUsage",
          permission: "kms:GetKeyLastUsage",
          without: "pruning goes by aliases and tags alone",
        } as const,
      ]
    : []),
  ...(hasTags ? [{ operation: "TagResource", permission: "kms:TagResource", without: inVain } as const] : []),
];

const noStart = "a server that is started while KMS fails in its own Region finds no keys there";
const startNeeds: readonly RegionNeed[] = [
  { operation: "ListAliases", permission: "kms:ListAliases", without: noStart },
  { operation: "DescribeKey", permission: "kms:DescribeKey", without: noStart },
  { operation: "GetPublicKey", permission: "kms:GetPublicKey", without: noStart },
];

/** May be asked of a key in use: it changes nothing. */
const harmless: ReadonlySet<ProbedOperation> = new Set(["DescribeKey", "GetPublicKey", "GetKeyLastUsage"]);

class RegionCheck {
  readonly #context: RegionsContext;
  readonly #region: string;
  readonly #clients: CommandClients;
  readonly #permissions: Findings;
  /** A key of this server that can sign there. */
  readonly #key: { readonly arn: string; readonly row: KeyRow } | undefined;

  constructor(context: RegionsContext, region: string, clients: CommandClients, permissions: Findings) {
    this.#context = context;
    this.#region = region;
    this.#clients = clients;
    this.#permissions = permissions;
    for (const row of context.own) {
      const member = row.members.find((one) => one.region === region && one.keyState === "Enabled");
      if (member?.arn !== undefined) this.#key ??= { arn: member.arn, row };
    }
  }

  /** @returns whether it answers */
  async reach(use: string): Promise<boolean> {
    const findings = this.#context.group("other Regions");
    const error = await this.#clients.operator.probe("DescribeKey", this.#context.noKey);
    const isAway = error !== undefined && ["UNAVAILABLE", "TIMEOUT", "UNAUTHENTICATED"].includes(error.code);
    if (isAway) {
      findings.warning(
        `AWS KMS in ${this.#region} does not answer this server: ${explain(error)}; it is there for ${use}`,
        "check that the account has the Region enabled, network, VPC endpoint and replica_endpoints",
      );
    } else findings.ok(`AWS KMS in ${this.#region} answers; it is there for ${use}`);
    return !isAway;
  }

  async checkReplicas(): Promise<void> {
    const { configuration } = this.#context;
    await this.#checkNeeds(replicaNeeds(configuration.config.upkeep !== undefined, usesTags(configuration)));
  }

  /** Where others make the replicas, a start may look for its keys as well. */
  async checkStart(): Promise<void> {
    await this.#checkNeeds(startNeeds);
  }

  async #checkNeeds(needs: readonly RegionNeed[]): Promise<void> {
    const { noKey } = this.#context;
    for (const { operation, ...need } of needs) {
      const real = harmless.has(operation) ? this.#key?.arn : undefined;
      const error = await this.#clients.operator.probe(operation, real ?? noKey);
      const how = operation === "ListAliases" ? "asked for one" : real === undefined ? onNoKey : onKey;
      this.#judge({ ...need, fails: false }, error, how);
    }
  }

  async checkSign(): Promise<void> {
    const need = {
      permission: "kms:Sign",
      fails: false,
      without: `no signature comes from ${this.#region} while KMS fails in the server's own Region`,
    };
    if (this.#key === undefined) {
      this.#judge(need, await this.#clients.operator.probe("Sign", this.#context.noKey), onNoKey);
      return;
    }
    try {
      await this.#clients.operator.signDryRun(this.#key.arn, algorithmFor(this.#key.row));
      this.#judge(need, undefined, `${onKey}, DryRun`);
    } catch (error) {
      if (!isKmsError(error)) throw error;
      this.#judge(need, error, onKey);
    }
  }

  #judge(need: Need, error: Parameters<typeof judge>[1], how: string): void {
    const { configuration } = this.#context;
    judge({ ...need, where: `in ${this.#region}` }, error, how, { configuration, findings: this.#permissions });
  }
}

async function checkRegion(region: string, context: RegionsContext, permissions: Findings): Promise<void> {
  const { config } = context.configuration;
  const { replicaRegions, failoverRegions, endpoints } = config.multiRegion;
  const endpoint = endpoints.get(region) ?? config.endpoint;
  const clients = createClients({ ...config, region, endpoint }, { telemetry: context.calls.telemetry });
  try {
    const check = new RegionCheck(context, region, clients, permissions);
    const isReplica = replicaRegions.includes(region);
    const isFailover = failoverRegions.includes(region);
    const uses = [...(isReplica ? ["replicas"] : []), ...(isFailover ? ["signatures while KMS fails"] : [])];
    if (!(await check.reach(uses.join(" and ")))) return;
    if (isReplica) await check.checkReplicas();
    else await check.checkStart();
    if (isFailover) await check.checkSign();
  } finally {
    clients.close();
  }
}

/** No harmless call tells of these. */
function tellUnknowable({ configuration, own }: RegionsContext, findings: Findings): void {
  const { replicaRegions, isOn } = configuration.config.multiRegion;
  const role = { permission: "iam:CreateServiceLinkedRole" };
  if (isOn && own.some(({ primaryRegion }) => primaryRegion !== undefined)) {
    findings.ok("iam:CreateServiceLinkedRole is not needed any more: the account has multi-Region keys", role);
  } else if (isOn) {
    findings.unknown(
      "iam:CreateServiceLinkedRole cannot be tried: it is needed once in an account, for its first multi-Region key",
      "allow it for mrk.kms.amazonaws.com, or let an administrator run: aws iam create-service-linked-role --aws-service-name mrk.kms.amazonaws.com",
      role,
    );
  }
  if (replicaRegions.length === 0) return;
  for (const permission of ["kms:CreateKey", "kms:CreateAlias", "kms:UpdateAlias"]) {
    findings.unknown(
      `${permission} in ${replicaRegions.join(", ")} cannot be tried without changing something`,
      "compare with spire-aws-kms policy iam; without it replicas are not made, or not refreshed",
      { permission },
    );
  }
}

const isWell = ({ condition }: KeyMember): boolean => condition === "ready";

function checkMembers({ own, configuration }: RegionsContext, findings: Findings): void {
  const { replicaRegions } = configuration.config.multiRegion;
  for (const region of replicaRegions) {
    const members = own.flatMap((row) =>
      row.members.filter((member) => member.region === region).map((member) => ({ member, row })),
    );
    if (members.length === 0) continue;
    const bad = members.filter(({ member }) => !isWell(member));
    if (bad.length === 0)
      findings.ok(`${members.length} of this server's keys have a replica in ${region} that is ready`);
    for (const { member, row } of bad) {
      const told = `${row.aliasName ?? row.keyId} in ${region}: ${member.condition}${member.why === undefined ? "" : `, ${member.why}`}`;
      const remedy =
        "see the message; a running server brings what is missing, and its log says what keeps it from that (docs/multi-region.md)";
      if (member.condition === "unknown") findings.unknown(told, remedy);
      else findings.warning(told, remedy);
    }
  }
}

export async function checkRegions(context: RegionsContext): Promise<void> {
  const { configuration, clients, group } = context;
  const { replicaRegions, failoverRegions } = configuration.config.multiRegion;
  const permissions = group("permissions");
  for (const region of replicaRegions) {
    const error = await clients.operator.probe("ReplicateKey", noMultiRegionKey, region);
    const need = {
      permission: "kms:ReplicateKey",
      where: `to ${region}`,
      fails: false,
      without: "no replica is made there",
    };
    judge(need, error, onNoKey, { configuration, findings: permissions });
  }
  for (const region of new Set([...replicaRegions, ...failoverRegions]))
    await checkRegion(region, context, permissions);
  tellUnknowable(context, permissions);
  checkMembers(context, group("other Regions"));
}
