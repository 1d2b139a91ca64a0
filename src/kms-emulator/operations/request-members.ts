/** Request members that several operations share (docs/aws-kms-behaviour.md, "Limits of fields"). */
import { keySpecNames, keyUsages, signingAlgorithms } from "../crypto/key-spec.ts";
import {
  blob,
  boolean,
  enumeration,
  integer,
  list,
  optional,
  required,
  string,
  structure,
} from "../framework/validation.ts";

const keyIdShape = string({ min: 1, max: 2048 });
const marker = string({ min: 1, max: 1024, pattern: /^[\u0020-\u00FF]*$/ });
const policy = string({ min: 1, max: 131_072, pattern: /^[\t\n\r\u0020-\u00FF]+$/ });
const tag = structure({
  TagKey: required(string({ min: 1, max: 128 })),
  TagValue: required(string({ min: 0, max: 256 })),
});

export const keyId = required(keyIdShape);
export const optionalKeyId = optional(keyIdShape);
export const aliasName = required(string({ min: 1, max: 256, pattern: /^[a-zA-Z0-9:/_-]+$/ }));
export const optionalMarker = optional(marker);
export const description = optional(string({ min: 0, max: 8192 }));
export const requiredDescription = required(string({ min: 0, max: 8192 }));
export const requiredPolicy = required(policy);
export const optionalPolicy = optional(policy);
export const policyName = optional(string({ min: 1, max: 128, pattern: /^[\w]+$/ }));
export const bypassLockoutCheck = optional(boolean());
export const dryRun = optional(boolean());
export const requiredTags = required(list(tag));
export const optionalTags = optional(list(tag));
export const tagKeys = required(list(string({ min: 1, max: 128 })));
export const grantTokens = optional(list(string({ min: 1, max: 8192 }), { min: 0, max: 10 }));
export const regionName = required(string({ min: 1, max: 32, pattern: /^([a-z]+-){2,3}\d+$/ }));
export const keySpec = optional(enumeration(keySpecNames));
export const keyUsage = optional(enumeration(keyUsages));
export const signingAlgorithm = required(
  enumeration(Object.keys(signingAlgorithms) as (keyof typeof signingAlgorithms)[]),
);
export const messageType = optional(enumeration(["RAW", "DIGEST", "EXTERNAL_MU"]));
export const message = required(blob({ min: 1, max: 4096 }));
export const signature = required(blob({ min: 1, max: 6144 }));

export const limit = (max: number) => optional(integer({ min: 1, max }));
