/** How the calls are sent that are many, one sender an operation. */
import type { KMSClient } from "@aws-sdk/client-kms";
import * as operations from "./operations.ts";
import { type Send, sendBySdk, sendingBy } from "./reply.ts";

export interface KmsSenders {
  readonly sign: Send<operations.SignMembers>;
  readonly describeKey: Send<operations.KeyMembers>;
  readonly getPublicKey: Send<operations.KeyMembers>;
  readonly listAliases: Send<operations.AliasPageMembers>;
  readonly listKeys: Send<operations.PageMembers>;
  readonly updateAlias: Send<operations.AliasMembers>;
}

/** @param sending makes the sender of an operation */
export const kmsSenders = (
  sending: <Members>(operation: operations.Operation<Members>) => Send<Members>,
): KmsSenders => ({
  sign: sending(operations.sign),
  describeKey: sending(operations.describeKey),
  getPublicKey: sending(operations.getPublicKey),
  listAliases: sending(operations.listAliases),
  listKeys: sending(operations.listKeys),
  updateAlias: sending(operations.updateAlias),
});

/** Every request by the SDK. */
export function sendersBySdk(sdk: KMSClient): KmsSenders {
  const send = sendingBy(sdk);
  return kmsSenders((operation) => sendBySdk(send, operation));
}
