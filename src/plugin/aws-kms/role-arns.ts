/**
 * The whole ARN of the server's role, which the default key policy must name as its principal.
 *
 * STS shows a session's role without the role's path, and KMS refuses a policy that names a role wrongly. So IAM is asked,
 * beside everything else: only the making of a key waits for its answer, and without one the role is taken to have no path.
 */
import { messageOf } from "../../key-manager/errors.ts";
import { type Clock, type IamClient, isKmsError, type Logger, type RoleInAccount } from "../../key-manager/ports.ts";

const hourMs = 3_600_000;
const minuteMs = 60_000;

/** Reads `arn:{partition}:sts::{account}:assumed-role/{role name}/{session}`; undefined for any other principal. */
export function assumedRoleOf(arn: string): RoleInAccount | undefined {
  const match = /^arn:([a-z0-9-]+):sts::(\d{12}):assumed-role\/([^/]+)\/[^/]+$/.exec(arn);
  const [, partition, account, roleName] = match ?? [];
  if (partition === undefined || account === undefined || roleName === undefined) return undefined;
  return { partition, account, roleName };
}

const prefixOf = ({ partition, account }: RoleInAccount): string => `arn:${partition}:iam::${account}:role/`;

/** The role's ARN if it has no path. */
export const plainRoleArn = (role: RoleInAccount): string => prefixOf(role) + role.roleName;

/** IAM's own limit. */
const maxPathLength = 512;

/**
 * Whether an ARN is this role's, with whatever path: it becomes a principal that may do everything with a CA's key, so a
 * wildcard or a variable of the policy language in it is out of the question.
 */
export function isArnOfRole(arn: string, role: RoleInAccount): boolean {
  const prefix = prefixOf(role);
  if (!arn.startsWith(prefix)) return false;
  const segments = arn.slice(prefix.length).split("/");
  return (
    segments.at(-1) === role.roleName &&
    segments.every((segment) => /^[\w+=,.@-]+$/.test(segment)) &&
    arn.length - prefix.length - role.roleName.length < maxPathLength
  );
}

/** What came of asking. */
type Outcome =
  | { readonly kind: "told"; readonly arn: string }
  | { readonly kind: "refused" | "failed"; readonly reason: string; readonly isDenied: boolean }
  | { readonly kind: "no IAM to ask" };

/** For how long a new configuration does not ask again. A denial is not provoked lightly: accounts have alarms for them. */
const lifetimesMs: Readonly<Record<Outcome["kind"], number>> = {
  told: hourMs,
  refused: hourMs,
  failed: minuteMs,
  "no IAM to ask": 0,
};

interface Finding {
  /** Settles with the best that is known. */
  readonly arn: Promise<string>;
  /** In ms; infinite while the answer is under way. */
  askAgainAt: number;
  /** Whether the next who makes a key may ask again as well. */
  isPassing: boolean;
}

function outcomeOf(error: unknown): Outcome {
  const isPassing = isKmsError(error, "THROTTLED", "UNAVAILABLE", "TIMEOUT", "ABORTED");
  return {
    kind: isPassing ? "failed" : "refused",
    reason: messageOf(error),
    isDenied: isKmsError(error, "ACCESS_DENIED"),
  };
}

/** What the process has found out, whatever it is configured with: each role is asked about once. */
export class RoleArns {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #findings = new Map<string, Finding>();
  /** Roles whose missing path the log has told. */
  readonly #mentioned = new Set<string>();

  constructor({ clock, log }: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /**
   * For a new configuration: asks IAM, unless an answer or a refusal is less than an hour old, or a failure less than a
   * minute. What IAM has told once stays until it tells something else.
   *
   * @returns the role's ARN, as far as it can be known. Never rejects, and takes no longer than the client does
   */
  find(role: RoleInAccount, iam: IamClient): Promise<string> {
    const plain = plainRoleArn(role);
    const known = this.#findings.get(plain);
    if (known !== undefined && this.#now() < known.askAgainAt) return known.arn;
    const finding: Finding = {
      askAgainAt: Number.POSITIVE_INFINITY,
      isPassing: false,
      arn: ask(role, iam).then((outcome) => {
        finding.askAgainAt = this.#now() + lifetimesMs[outcome.kind];
        finding.isPassing = outcome.kind === "failed";
        this.#tell(role, outcome);
        return outcome.kind === "told" ? outcome.arn : (known?.arn ?? plain);
      }),
    };
    this.#findings.set(plain, finding);
    return finding.arn;
  }

  /** For a new key: what has been found, or is about to be. Asks again after a failure only. */
  found(role: RoleInAccount, iam: IamClient): Promise<string> {
    const known = this.#findings.get(plainRoleArn(role));
    return known === undefined || known.isPassing ? this.find(role, iam) : known.arn;
  }

  #tell(role: RoleInAccount, outcome: Outcome): void {
    const plain = plainRoleArn(role);
    if (outcome.kind === "told") {
      this.#log.debug("IAM has told the ARN of the server's role", { role_arn: outcome.arn });
      return;
    }
    if (outcome.kind === "no IAM to ask") {
      this.#log.debug("There is no IAM to ask whether the server's role has a path", { role_arn: plain });
      return;
    }
    const level = this.#mentioned.has(plain) ? "debug" : outcome.isDenied ? "info" : "warn";
    this.#mentioned.add(plain);
    this.#log[level](
      "The default key policy names the server's role without a path: IAM did not tell whether it has one",
      {
        role_arn: plain,
        reason: outcome.reason,
        advice: adviceFor(role),
      },
    );
  }

  #now(): number {
    return this.#clock.elapsedMs();
  }
}

/** For a role that has a path after all; without one all is well. */
const adviceFor = (role: RoleInAccount): string =>
  `if the role has a path, allow iam:GetRole on ${prefixOf(role)}*/${role.roleName}, or set key_policy_file to a key policy with the principal ${prefixOf(role)}PATH/${role.roleName}`;

async function ask(role: RoleInAccount, iam: IamClient): Promise<Outcome> {
  let arn: string | undefined;
  try {
    arn = await iam.getRoleArn(role);
  } catch (error) {
    return outcomeOf(error);
  }
  if (arn === undefined) return { kind: "no IAM to ask" };
  if (isArnOfRole(arn, role)) return { kind: "told", arn };
  const reason = `GetRole: ${JSON.stringify(arn.slice(0, 200))} is not an ARN of this role that a key policy can name`;
  return { kind: "refused", reason, isDenied: false };
}
