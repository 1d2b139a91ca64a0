/** ConnectCustomKeyStore: connects a custom key store. There is none, so it is refused as AWS refuses it then. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { noSuchKeyStore } from "./no-such-key-store.ts";

export const connectCustomKeyStore = kmsOperation({
  name: "ConnectCustomKeyStore",
  run(context, { CustomKeyStoreId }) {
    context.access.require(context.caller, context.region, { action: "kms:ConnectCustomKeyStore", resource: "*" });
    throw noSuchKeyStore(CustomKeyStoreId);
  },
});
