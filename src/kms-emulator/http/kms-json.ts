/** Answers of KMS and of Resource Groups Tagging: JSON 1.1. */
import type { WireFormat } from "./reply.ts";
import { toWire } from "./wire-json.ts";

const contentType = "application/x-amz-json-1.1";

/** KMS, JSON 1.1 (docs/aws-kms-behaviour.md, "Wire protocol"). Without output the body is empty. */
export const kmsJson: WireFormat = {
  output: (_operation, output) => ({
    status: 200,
    contentType,
    body: output === undefined ? "" : JSON.stringify(toWire(output)),
  }),
  exception: ({ code, status, message, hasMessage }) => ({
    status,
    contentType,
    errorType: code,
    body: JSON.stringify({ __type: code, ...(hasMessage ? { message } : {}) }),
  }),
};

/** Resource Groups Tagging: the same, but its modelled error member is `Message`. */
export const taggingJson: WireFormat = {
  output: kmsJson.output,
  exception: ({ code, status, message, hasMessage }) => ({
    status,
    contentType,
    errorType: code,
    body: JSON.stringify({ __type: code, ...(hasMessage ? { Message: message } : {}) }),
  }),
};
