/** How users name the identities, roles and identity providers that exist. */

/** A user, role session or root, and the access key it calls with. */
export interface IdentityConfig {
  readonly accessKeyId: string;
  /** Needed with `verifySignatures`. */
  readonly secretAccessKey?: string;
  /** With temporary credentials: what must come in X-Amz-Security-Token. */
  readonly sessionToken?: string;
  /** `arn:aws:iam::ACCOUNT:user/NAME`, `arn:aws:iam::ACCOUNT:root` or `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION`. */
  readonly arn: string;
  /** Default: derived from the ARN. */
  readonly userId?: string;
  /** The role of an assumed role, if it has a path and is not in `roles`: the session's ARN does not show it. */
  readonly roleArn?: string;
  /** IAM policies, as documents or JSON text. Absent: everything is allowed. `[]`: nothing is. */
  readonly policies?: readonly (string | object)[];
}

/** A role that AssumeRole and AssumeRoleWithWebIdentity can hand out. */
export interface RoleConfig {
  /** `arn:aws:iam::ACCOUNT:role/[PATH/]NAME` */
  readonly arn: string;
  /** Who may assume it. Absent: with `authorize` the users and roles of its own account. */
  readonly trustPolicy?: string | object;
  /** IAM policies. Absent: everything is allowed. */
  readonly policies?: readonly (string | object)[];
  /** Default 3600, at most 43,200. */
  readonly maxSessionDurationSeconds?: number;
}

/** An OpenID Connect provider whose tokens AssumeRoleWithWebIdentity accepts. */
export interface OidcProviderConfig {
  /** The `iss` claim: `https://…` */
  readonly issuer: string;
  /** Public keys (JWK) that tokens are signed with. */
  readonly keys: readonly object[];
  /** Accepted `aud` claims. Absent: any. */
  readonly audiences?: readonly string[];
}
