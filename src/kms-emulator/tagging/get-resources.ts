/** GetResources of Resource Groups Tagging: the keys with certain tags. */
import { AwsException } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";
import { operation } from "../framework/operation.ts";
import { decodeMarker, encodeMarker } from "../framework/pagination.ts";
import { boolean, integer, list, optional, string, structure } from "../framework/validation.ts";
import { isKeyId, parseArn } from "../identifiers.ts";

import { arnOf, type KeyRecord } from "../state/records.ts";

const tokenLifeMs = 15 * 60 * 1000;

const badParameter = (message: string): AwsException => new AwsException("InvalidParameterException", message);

interface TagFilter {
  readonly Key: string | undefined;
  readonly Values: readonly string[] | undefined;
}

/** AND between filters, OR between the values of one; no values = any value. */
function passes(key: KeyRecord, filters: readonly TagFilter[]): boolean {
  return filters.every(({ Key, Values }) => {
    const tag = key.tags.find((candidate) => candidate.key === Key);
    return tag !== undefined && (Values === undefined || Values.length === 0 || Values.includes(tag.value));
  });
}

/** Paging state is the last key id and the time, in one opaque token. */
function readToken(scope: string, token: string, nowMs: number): string | undefined {
  if (token === "") return undefined;
  let text: string | undefined;
  try {
    text = decodeMarker(scope, token);
  } catch (cause) {
    throw new AwsException("InvalidParameterException", "The pagination token is invalid.", { cause });
  }
  const [issuedMs = "", after = ""] = text?.split("/") ?? [];
  if (Number(issuedMs) + tokenLifeMs < nowMs) {
    throw new AwsException("PaginationTokenExpiredException", "The pagination token has expired.");
  }
  return after;
}

function* taggedKeys(context: OperationContext, after: string | undefined): Generator<KeyRecord> {
  for (const id of context.view.keyIdsAfter(after)) {
    const key = context.view.key(id);
    if (key?.wasTagged) yield key;
  }
}

/** Keys of an ARN list, silently without those that are absent, foreign or never tagged. */
function namedKeys(context: OperationContext, arns: readonly string[]): KeyRecord[] {
  return arns.flatMap((text) => {
    const arn = parseArn(text);
    const id = arn?.resource.replace(/^key\//, "") ?? "";
    const isOurs = arn?.service === "kms" && arn.region === context.region && arn.account === context.account;
    const key = isOurs && isKeyId(id) ? context.view.key(id) : undefined;
    return key?.wasTagged ? [key] : [];
  });
}

interface PageLimits {
  readonly resources: number;
  readonly tags: number;
}

/** As many resources as both limits let through, and whether there are more. */
function firstPage(keys: Iterable<KeyRecord>, limits: PageLimits): { items: KeyRecord[]; hasMore: boolean } {
  const items: KeyRecord[] = [];
  let tags = 0;
  for (const key of keys) {
    tags += key.tags.length;
    if (items.length === limits.resources || (tags > limits.tags && items.length > 0)) return { items, hasMore: true };
    items.push(key);
  }
  return { items, hasMore: false };
}

function* filtered(keys: Iterable<KeyRecord>, filters: readonly TagFilter[]): Generator<KeyRecord> {
  for (const key of keys) if (passes(key, filters)) yield key;
}

const isKeyType = (type: string): boolean => type === "kms" || type === "kms:key";

interface Input {
  readonly PaginationToken: string | undefined;
  readonly TagFilters: readonly TagFilter[] | undefined;
  readonly ResourcesPerPage: number | undefined;
  readonly TagsPerPage: number | undefined;
  readonly ResourceTypeFilters: readonly string[] | undefined;
  readonly IncludeComplianceDetails: boolean | undefined;
  readonly ExcludeCompliantResources: boolean | undefined;
  readonly ResourceARNList: readonly string[] | undefined;
}

function requireSensible(input: Input): void {
  const { ResourceARNList, IncludeComplianceDetails, ExcludeCompliantResources } = input;
  const others = [input.TagFilters, input.ResourceTypeFilters, input.ResourcesPerPage, input.TagsPerPage];
  const hasOthers = others.some((member) => member !== undefined) || (input.PaginationToken ?? "") !== "";
  if (ResourceARNList !== undefined && hasOthers) {
    throw badParameter("ResourceARNList cannot be combined with filters or paging parameters.");
  }
  if (ExcludeCompliantResources && !IncludeComplianceDetails) {
    throw badParameter("ExcludeCompliantResources requires IncludeComplianceDetails.");
  }
  if (input.TagFilters?.some((filter) => filter.Key === undefined)) throw badParameter("A tag filter needs a Key.");
}

function mapping(key: KeyRecord, hasCompliance: boolean): object {
  return {
    ResourceARN: arnOf(key),
    Tags: key.tags.map((tag) => ({ Key: tag.key, Value: tag.value })),
    ...(hasCompliance ? { ComplianceDetails: { ComplianceStatus: true } } : {}),
  };
}

export const getResources = operation<Input>({
  service: "tagging",
  name: "GetResources",
  input: structure({
    PaginationToken: optional(string({ min: 0, max: 2048 })),
    TagFilters: optional(
      list(
        structure({
          Key: optional(string({ min: 1, max: 128 })),
          Values: optional(list(string({ min: 0, max: 256 }), { max: 20 })),
        }),
        { max: 50 },
      ),
    ),
    ResourcesPerPage: optional(integer({ min: 1, max: 100 })),
    TagsPerPage: optional(integer({ min: 100, max: 500 })),
    ResourceTypeFilters: optional(list(string({ min: 0, max: 256 }), { max: 100 })),
    IncludeComplianceDetails: optional(boolean()),
    ExcludeCompliantResources: optional(boolean()),
    ResourceARNList: optional(list(string({ min: 1, max: 1011 }), { min: 1, max: 100 })),
  }),
  run(context, input) {
    context.access.require(context.caller, context.region, { action: "tag:GetResources", resource: "*" });
    requireSensible(input);
    const hasCompliance = input.IncludeComplianceDetails ?? false;
    if (input.ResourceARNList !== undefined) {
      const found = namedKeys(context, input.ResourceARNList).map((key) => mapping(key, hasCompliance));
      return { PaginationToken: "", ResourceTagMappingList: found };
    }
    const nowMs = context.clock();
    const scope = `GetResources/${context.account}/${context.region}`;
    const after = readToken(scope, input.PaginationToken ?? "", nowMs);
    const types = input.ResourceTypeFilters ?? [];
    // No tag policies here: every resource is compliant.
    const isNone = (types.length > 0 && !types.some(isKeyType)) || input.ExcludeCompliantResources === true;
    const keys = isNone ? [] : filtered(taggedKeys(context, after), input.TagFilters ?? []);
    const page = firstPage(keys, { resources: input.ResourcesPerPage ?? 50, tags: input.TagsPerPage ?? 500 });
    const last = page.items.at(-1);
    return {
      PaginationToken: page.hasMore && last ? encodeMarker(scope, `${nowMs}/${last.keyId}`) : "",
      ResourceTagMappingList: page.items.map((key) => mapping(key, hasCompliance)),
    };
  },
});
