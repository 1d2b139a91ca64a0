import type { KeyMaterial, KeyMaterialSource } from "../crypto/key-material.ts";
import type { StsDirectory } from "../directory/directory.ts";
import type { Identity } from "../identity.ts";
import type { Random } from "../random.ts";
import type { KeyRecord, Mutation } from "../state/records.ts";
import type { RegionView } from "../state/region-view.ts";
import { readInput, type Shape } from "./validation.ts";

/** Resource limits (docs/aws-kms-behaviour.md, "Quotas"). Always enforced; some are adjustable on AWS, hence here. */
export interface Limits {
  readonly keysPerRegion: number;
  readonly aliasesPerKey: number;
  readonly tagsPerKey: number;
  /** Bytes of a key policy. */
  readonly policyBytes: number;
}

export const defaultLimits: Limits = { keysPerRegion: 100_000, aliasesPerKey: 50, tagsPerKey: 50, policyBytes: 32_768 };

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
}

export interface PolicyCheckRequest {
  readonly document: string;
  readonly bypassLockoutCheck: boolean;
  /** The key that the policy is for. */
  readonly keyArn: string;
  /** Absent when the key is only being made. */
  readonly key?: KeyRecord | undefined;
}

export interface AccessControl {
  /** Throws AccessDeniedException when evaluation is on and the caller lacks the permission. */
  require(caller: Identity, region: string, request: AccessRequest): void;
  /** Throws MalformedPolicyDocumentException or LimitExceededException. */
  checkKeyPolicy(caller: Identity, region: string, request: PolicyCheckRequest): void;
}

/** Everything an operation may know or touch. */
export interface OperationContext {
  readonly account: string;
  readonly region: string;
  readonly caller: Identity;
  readonly clock: () => number;
  readonly random: Random;
  readonly limits: Limits;
  readonly materials: KeyMaterialSource;
  readonly access: AccessControl;
  readonly directory: StsDirectory;
  /** The caller's own account in the called Region. */
  readonly view: RegionView;
  /** How long a new replica stays in Creating, and both ends of UpdatePrimaryRegion in Updating. */
  readonly transitionMs: number;
  readonly hasAwsManagedAliases: boolean;
  viewOf(account: string, region: string): RegionView;
  materialOf(key: KeyRecord): KeyMaterial;
  commit(...mutations: readonly Mutation[]): void;
}

export type Service = "kms" | "sts" | "tagging" | "iam";

/** One AWS operation. Output members use Date and Uint8Array, as the SDKs do. */
export interface Operation {
  readonly service: Service;
  readonly name: string;
  /** Checks `input` as it was received, then carries the operation out. Throws AwsException. */
  call(context: OperationContext, input: unknown): object | undefined | Promise<object | undefined>;
}

interface OperationDefinition<I> {
  readonly service: Service;
  readonly name: string;
  readonly input: Shape<I>;
  readonly run: (context: OperationContext, input: I) => object | undefined | Promise<object | undefined>;
}

/** Ties input constraints and behaviour together. */
export function operation<I>({ service, name, input: shape, run }: OperationDefinition<I>): Operation {
  return { service, name, call: (context, input) => run(context, readInput(shape, input)) };
}
