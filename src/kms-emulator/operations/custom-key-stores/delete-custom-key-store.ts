/** DeleteCustomKeyStore: takes a custom key store away. There is none, so it is refused as AWS refuses it then. */
import { kmsOperation } from "../../framework/kms-operation.ts";
import { noSuchKeyStore } from "./no-such-key-store.ts";

export const deleteCustomKeyStore = kmsOperation({
  name: "DeleteCustomKeyStore",
  run(context, { CustomKeyStoreId }) {
    context.access.require(context.caller, context.region, { action: "kms:DeleteCustomKeyStore", resource: "*" });
    throw noSuchKeyStore(CustomKeyStoreId);
  },
});
