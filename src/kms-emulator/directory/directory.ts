/** Who exists: access keys, roles, identity providers, and the sessions that STS has opened. */
import { EmulatorError } from "../errors.ts";
import { isAccountId, parseArn, partitionOf } from "../identifiers.ts";
import { type Identity, identityFromArn, uniqueId } from "../identity.ts";
import { parsePolicy } from "../policy/document.ts";
import type { SessionRecord } from "../state/records.ts";
import type { IdentityConfig, OidcProviderConfig, RoleConfig } from "./config.ts";

/** A role, as configured or, when anything goes, as asked for. */
export interface Role {
  readonly arn: string;
  readonly account: string;
  readonly name: string;
  readonly roleId: string;
  readonly trustPolicy: string | undefined;
  readonly policies: readonly string[] | undefined;
  readonly maxSessionSeconds: number;
}

/** An access key and what goes with it. */
export interface Credential {
  readonly identity: Identity;
  /** Undefined: not configured, so signatures with it cannot be verified. */
  readonly secretAccessKey: string | undefined;
  readonly sessionToken: string | undefined;
  readonly expiresAtMs: number | undefined;
}

/** Who exists: access keys, roles, identity providers. */
export interface RoleDirectory {
  readonly isStrict: boolean;
  readonly providers: readonly OidcProviderConfig[];
  role(arn: string): Role | undefined;
  /** The caller's account has at most one role of a name, whatever its path. */
  roleNamed(caller: Identity, name: string): Role | undefined;
  /** Whether a user or role of this ARN or unique id exists; without permissions any does. */
  principalExists(name: string): boolean;
}

interface DirectoryOptions {
  readonly account: string;
  readonly identities: readonly IdentityConfig[];
  readonly roles: readonly RoleConfig[];
  readonly providers: readonly OidcProviderConfig[];
  readonly principals: readonly string[];
  /** Whether permissions count: then only configured roles exist. */
  readonly isStrict: boolean;
  readonly session: (accessKeyId: string) => SessionRecord | undefined;
}

/** A configured policy as text. Throws now rather than when it is first asked about. */
function policyText(policy: string | object): string {
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  try {
    parsePolicy(text);
  } catch (cause) {
    throw new EmulatorError("INVALID_OPTION", `a configured policy is none: ${(cause as Error).message}`, { cause });
  }
  return text;
}

/** What a session's ARN tells of its role: all but the path. */
const nameInAccount = (account: string, name: string): string => `${account}/${name}`;

const roleNameOf = (roleArn: string): string => roleArn.slice(roleArn.lastIndexOf("/") + 1);

/** @param roles by {@link nameInAccount}: a session of one of them need not say its path again */
function identityOf(config: IdentityConfig, roles: ReadonlyMap<string, Role>): Identity {
  const policies = config.policies?.map(policyText);
  try {
    const identity = identityFromArn(config.arn, { ...config, policies });
    if (identity.kind !== "assumed-role" || config.roleArn !== undefined) return identity;
    const role = roles.get(nameInAccount(identity.account, roleNameOf(identity.principalArn)));
    return role === undefined ? identity : identityFromArn(config.arn, { ...config, roleArn: role.arn, policies });
  } catch (cause) {
    throw new EmulatorError("INVALID_OPTION", `identity ${config.accessKeyId}: ${(cause as Error).message}`, { cause });
  }
}

function roleOf(config: RoleConfig): Role | undefined {
  const arn = parseArn(config.arn);
  if (arn?.service !== "iam" || !arn.resource.startsWith("role/") || !isAccountId(arn.account)) return undefined;
  return {
    arn: config.arn,
    account: arn.account,
    name: roleNameOf(config.arn),
    roleId: uniqueId("AROA", config.arn),
    trustPolicy: config.trustPolicy === undefined ? undefined : policyText(config.trustPolicy),
    policies: config.policies?.map(policyText),
    maxSessionSeconds: config.maxSessionDurationSeconds ?? 3600,
  };
}

function requireRole(config: RoleConfig): Role {
  const role = roleOf(config);
  if (role) return role;
  throw new EmulatorError("INVALID_OPTION", `${config.arn} is not the ARN of a role`);
}

export class Directory implements RoleDirectory {
  readonly isStrict: boolean;
  readonly providers: readonly OidcProviderConfig[];
  readonly #account: string;
  readonly #credentials: ReadonlyMap<string, Credential>;
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #rolesByName: ReadonlyMap<string, Role>;
  readonly #principals: ReadonlySet<string>;
  readonly #session: DirectoryOptions["session"];
  /** Made once per caller: they are asked for at every call. */
  readonly #defaults = new Map<string, Identity>();

  constructor(options: DirectoryOptions) {
    const { account, identities, roles } = options;
    if (!isAccountId(account)) throw new EmulatorError("INVALID_OPTION", `account ${account} is not 12 digits`);
    this.isStrict = options.isStrict;
    this.providers = options.providers;
    this.#account = account;
    this.#session = options.session;
    this.#roles = new Map(roles.map((config) => [config.arn, requireRole(config)]));
    const configured = byName([...this.#roles.values()]);
    this.#credentials = new Map(identities.map((config) => [config.accessKeyId, credentialOf(config, configured)]));
    this.#rolesByName = new Map([...byName(this.#rolesOfSessions()), ...configured]);
    this.#principals = new Set([...options.principals, ...this.#principalsOf()]);
  }

  credential(accessKeyId: string): Credential | undefined {
    const session = this.#session(accessKeyId);
    return session ? this.#sessionCredential(session) : this.#credentials.get(accessKeyId);
  }

  role(arn: string): Role | undefined {
    return this.#roles.get(arn) ?? (this.isStrict ? undefined : roleOf({ arn }));
  }

  roleNamed({ account, arn }: Identity, name: string): Role | undefined {
    const known = this.#rolesByName.get(nameInAccount(account, name));
    if (known !== undefined || this.isStrict) return known;
    return roleOf({ arn: `arn:${parseArn(arn)?.partition}:iam::${account}:role/${name}` });
  }

  /** Whether a key policy may name this principal. Accounts always exist; without permissions, so does every principal. */
  principalExists(name: string): boolean {
    if (!this.isStrict || name === "*" || isAccountId(name) || name.endsWith(":root")) return true;
    return this.#principals.has(name);
  }

  /**
   * The caller of an unsigned request, or of one with an access key that is not configured: a role of the default
   * account, or of the account that the access key spells out (12 digits).
   */
  defaultIdentity(region: string, accessKeyId?: string, account?: string): Identity {
    const spelled = accessKeyId !== undefined && isAccountId(accessKeyId) ? accessKeyId : undefined;
    const owner = account ?? spelled ?? this.#account;
    const partition = partitionOf(region);
    const name = `${partition}/${owner}/${accessKeyId ?? ""}`;
    const known = this.#defaults.get(name);
    if (known) return known;
    const arn = `arn:${partition}:sts::${owner}:assumed-role/spire-server/i-0123456789`;
    const identity = identityFromArn(arn, { accessKeyId });
    if (this.#defaults.size >= 1_000) this.#defaults.clear();
    this.#defaults.set(name, identity);
    return identity;
  }

  #sessionCredential(session: SessionRecord): Credential {
    const { arn, userId, roleArn, policies: sessionPolicies, tags, accessKeyId } = session;
    const parts = { accessKeyId, userId, roleArn, policies: this.#roles.get(roleArn)?.policies, sessionPolicies, tags };
    const { secretAccessKey, sessionToken, expiresAtMs } = session;
    return { identity: identityFromArn(arn, parts), secretAccessKey, sessionToken, expiresAtMs };
  }

  #rolesOfSessions(): Role[] {
    return [...this.#credentials.values()].flatMap(({ identity }) => roleOf({ arn: identity.principalArn }) ?? []);
  }

  #principalsOf(): string[] {
    const identities = [...this.#credentials.values()].flatMap(({ identity }) => [
      identity.arn,
      identity.principalArn,
      identity.userId,
      identity.userId.split(":")[0] ?? "",
    ]);
    return [...identities, ...[...this.#roles.values()].flatMap((role) => [role.arn, role.roleId])];
  }
}

const byName = (roles: readonly Role[]): ReadonlyMap<string, Role> =>
  new Map(roles.map((role) => [nameInAccount(role.account, role.name), role]));

function credentialOf(config: IdentityConfig, roles: ReadonlyMap<string, Role>): Credential {
  const { secretAccessKey, sessionToken } = config;
  return { identity: identityOf(config, roles), secretAccessKey, sessionToken, expiresAtMs: undefined };
}
