/** What comes of a request, whichever way it went. */
import type { KMSClient, SignCommand } from "@aws-sdk/client-kms";
import { httpDateFrom, readDates, requestIdHeaders, requestIdOf } from "../calls/answer-head.ts";
import type { Cut } from "../calls/cut.ts";
import { type Answer, dateOf } from "../transport/wire-request.ts";
import type { Command, Operation } from "./operations.ts";

export interface Reply {
  /** The answer's members, bytes and dates decoded. */
  readonly output: unknown;
  /** When KMS says it gave the answer. */
  readonly serverTime: Date | undefined;
  /** As it came. */
  readonly requestId: unknown;
}

/** Sends one request of an operation. Rejects as the SDK does. */
export type Send<Members> = (members: Members, cut: Cut) => Promise<Reply>;

/** Has an SDK client answer commands. */
export type SendCommand = (command: Command, options: object) => Promise<Reply>;

export function sendingBy(sdk: KMSClient): SendCommand {
  const dateOfOutput = readDates(sdk);
  return async (command, options) => {
    // The SDK's types take one command at a time.
    const output = await sdk.send(command as SignCommand, options);
    return { output, serverTime: dateOfOutput(output), requestId: requestIdOf(output) };
  };
}

/** Every request of an operation by the SDK. */
export const sendBySdk =
  <Members>(send: SendCommand, operation: Operation<Members>): Send<Members> =>
  (members, cut) =>
    send(operation.command(members), { abortSignal: cut.signal });

/** An answer that was read without the SDK; its headers are looked at when they are asked for, which is seldom. */
export class PlainReply implements Reply {
  readonly output: object;
  readonly #response: Answer["response"];

  constructor(output: object, response: Answer["response"]) {
    this.output = output;
    this.#response = response;
  }

  get serverTime(): Date | undefined {
    return httpDateFrom(dateOf(this.#response));
  }

  get requestId(): unknown {
    const { headers } = this.#response;
    return headers[requestIdHeaders.find((name) => headers[name] !== undefined) ?? ""];
  }
}
