/** DescribeCustomKeyStores: the custom key stores of a Region, of which there are none. */
import { AwsException } from "../../exceptions.ts";
import { kmsOperation } from "../../framework/kms-operation.ts";
import { decodeMarker } from "../../framework/pagination.ts";
import { noSuchKeyStore } from "./no-such-key-store.ts";

export const describeCustomKeyStores = kmsOperation({
  name: "DescribeCustomKeyStores",
  run(context, { CustomKeyStoreId, CustomKeyStoreName, Marker }) {
    const { account, region } = context;
    context.access.require(context.caller, region, { action: "kms:DescribeCustomKeyStores", resource: "*" });
    if (CustomKeyStoreId !== undefined && CustomKeyStoreName !== undefined) {
      throw new AwsException("ValidationException", "Specify CustomKeyStoreId or CustomKeyStoreName, but not both."); // text [I]
    }
    const named = CustomKeyStoreId ?? CustomKeyStoreName;
    if (named !== undefined) throw noSuchKeyStore(named);
    decodeMarker(`DescribeCustomKeyStores/${account}/${region}`, Marker);
    return { CustomKeyStores: [], Truncated: false };
  },
});
