/** Request members that the AssumeRole operations share (docs/aws-kms-behaviour.md, "STS"). */
import { list, optional, required, string, structure } from "../framework/validation.ts";

export const roleArn = required(string({ min: 20, max: 2048 }));
export const roleSessionName = required(string({ min: 2, max: 64, pattern: "[\\w+=,.@-]*" }));
export const policy = optional(string({ min: 1, max: 2048, pattern: "[\\u0009\\u000A\\u000D\\u0020-\\u00FF]+" }));
export const policyArns = optional(list(structure({ arn: optional(string({ min: 20, max: 2048 })) }), { max: 10 }));
export const sessionTags = optional(
  list(
    structure({
      Key: required(string({ min: 1, max: 128 })),
      Value: required(string({ min: 0, max: 256 })),
    }),
    { max: 50 },
  ),
);
