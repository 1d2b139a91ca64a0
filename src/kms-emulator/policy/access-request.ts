/** What is asked of access control. */
import type { KeyRecord } from "../state/records.ts";

/** What an operation asks permission for. */
export interface AccessRequest {
  /** With the service prefix: `kms:Sign`. */
  readonly action: string;
  /** The ARN the action is on; `*` for actions without a resource. */
  readonly resource: string;
  /** The key whose policy takes part in the decision. */
  readonly key?: KeyRecord | undefined;
  /** Values of condition keys that belong to this request, e.g. `kms:KeySpec`. */
  readonly conditions?: Readonly<Record<string, string | readonly string[] | undefined>>;
  /** Of a cryptographic operation with a symmetric key. */
  readonly encryptionContext?: Readonly<Record<string, string>> | undefined;
}

/** Where a request comes from. */
export interface RequestOrigin {
  readonly sourceIp: string;
  readonly userAgent: string;
}

/** Of a call that comes over no network. */
export const inProcess: RequestOrigin = { sourceIp: "127.0.0.1", userAgent: "in-process" };

export interface PolicyCheckRequest {
  readonly document: string;
  readonly bypassLockoutCheck: boolean;
  /** The key that the policy is for. */
  readonly keyArn: string;
  /** Absent when the key is only being made. */
  readonly key?: KeyRecord | undefined;
}
