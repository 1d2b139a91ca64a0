/** Which service and operation a request is for. */
import { isUtf8 } from "node:buffer";
import type { IncomingHttpHeaders } from "node:http";
import { AwsException } from "../exceptions.ts";
import type { Operation } from "../framework/operation.ts";
import { operations } from "../operations/index.ts";
import { iamQuery, queryInput, stsQuery } from "./aws-query.ts";
import { kmsJson, taggingJson } from "./kms-json.ts";
import type { WireFormat } from "./reply.ts";

/** Which service a request is for, and how to read it. One port serves all of them. */
export interface Route {
  readonly format: WireFormat;
  /** Throws AwsException if the operation is unknown or the body cannot be read. */
  read(): { operation: Operation; input: unknown };
}

export interface RequestParts {
  readonly method: string;
  readonly headers: IncomingHttpHeaders;
  readonly query: URLSearchParams;
  readonly body: Buffer;
}

const targets = { TrentService: "kms", ResourceGroupsTaggingAPI_20170126: "tagging" } as const;

const notJson = "The request body is not valid JSON.";

/** A byte order mark is no part of the text. */
const withoutMark = (text: string): string => (text.charCodeAt(0) === 0xfeff ? text.slice(1) : text);

function parseJson(body: Buffer): unknown {
  if (body.length === 0) return {};
  try {
    if (isUtf8(body)) return JSON.parse(withoutMark(body.toString()));
  } catch (cause) {
    throw new AwsException("SerializationException", notJson, { cause });
  }
  throw new AwsException("SerializationException", notJson);
}

function jsonRoute(target: string, parts: RequestParts): Route {
  const dot = target.indexOf(".");
  const prefix = dot < 0 ? target : target.slice(0, dot);
  const operation = dot < 0 ? "" : (target.slice(dot + 1).split(".", 1)[0] ?? "");
  const service = Object.hasOwn(targets, prefix) ? targets[prefix as keyof typeof targets] : undefined;
  return {
    format: service === "tagging" ? taggingJson : kmsJson,
    read() {
      const known = operations.get(operation);
      if (parts.method !== "POST" || !known || known.service !== service) {
        throw new AwsException("UnknownOperationException", `Unknown operation ${target}`);
      }
      return { operation: known, input: parseJson(parts.body) };
    },
  };
}

/** What tells IAM from STS, which speak the same protocol. */
const iamVersion = "2010-05-08";

function queryRoute(parameters: URLSearchParams): Route {
  const version = parameters.get("Version") ?? "(none)";
  const service = version === iamVersion ? "iam" : "sts";
  return {
    format: service === "iam" ? iamQuery : stsQuery,
    read() {
      const action = parameters.get("Action") ?? "";
      const operation = operations.get(action);
      if (operation?.service !== service) {
        throw new AwsException("InvalidAction", `Could not find operation ${action} for version ${version}`);
      }
      return { operation, input: queryInput(parameters) };
    },
  };
}

export function routeOf(parts: RequestParts): Route {
  const target = parts.headers["x-amz-target"];
  if (typeof target === "string") return jsonRoute(target, parts);
  if (parts.query.has("Action")) return queryRoute(parts.query);
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(parts.headers["content-type"] ?? "");
  return isForm ? queryRoute(new URLSearchParams(parts.body.toString())) : jsonRoute("", parts);
}
