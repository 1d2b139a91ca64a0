/** How many keys, aliases, tags and bytes of policy there may be. */

/** Resource limits (docs/aws-kms-behaviour.md, "Quotas"). Always enforced; some are adjustable on AWS, hence here. */
export interface Limits {
  readonly keysPerRegion: number;
  readonly aliasesPerKey: number;
  readonly tagsPerKey: number;
  /** Bytes of a key policy. */
  readonly policyBytes: number;
  readonly grantsPerKey: number;
  readonly onDemandRotationsPerKey: number;
}

export const defaultLimits: Limits = {
  keysPerRegion: 100_000,
  aliasesPerKey: 50,
  tagsPerKey: 50,
  policyBytes: 32_768,
  grantsPerKey: 50_000,
  onDemandRotationsPerKey: 25,
};
