/** The operations on custom key stores, of which there are none. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { refuses, startCalls } from "../call.ts";

const CustomKeyStoreId = "cks-1234567890abcdef0";

describe("custom key stores", () => {
  it("are none, and each operation on one says so", async () => {
    const { call } = startCalls();
    assert.deepEqual(await call("DescribeCustomKeyStores", {}), { CustomKeyStores: [], Truncated: false });
    for (const operation of [
      "ConnectCustomKeyStore",
      "DisconnectCustomKeyStore",
      "DeleteCustomKeyStore",
      "UpdateCustomKeyStore",
      "DescribeCustomKeyStores",
    ] as const) {
      await refuses(call(operation, { CustomKeyStoreId }), "CustomKeyStoreNotFoundException");
    }
    await refuses(call("DescribeCustomKeyStores", { CustomKeyStoreName: "n" }), "CustomKeyStoreNotFoundException");
    await refuses(call("DescribeCustomKeyStores", { Marker: "x" }), "InvalidMarkerException");
  });

  it("cannot be made: there is no cluster and no proxy", async () => {
    const { call } = startCalls();
    const CustomKeyStoreName = "n";
    await refuses(call("CreateCustomKeyStore", { CustomKeyStoreName }), "ValidationException", /^CloudHsmClusterId/);
    const cluster = {
      CloudHsmClusterId: "cluster-22a34b5cdef",
      TrustAnchorCertificate: "c",
      KeyStorePassword: "kmsPswd",
    };
    await refuses(call("CreateCustomKeyStore", { CustomKeyStoreName, ...cluster }), "CloudHsmClusterNotFoundException");
    const proxy = {
      CustomKeyStoreType: "EXTERNAL_KEY_STORE",
      XksProxyUriEndpoint: "https://xks.example",
      XksProxyUriPath: "/kms/xks/v1",
      XksProxyConnectivity: "PUBLIC_ENDPOINT",
      XksProxyAuthenticationCredential: { AccessKeyId: "ABCDEFGHIJKLMNOPQRST", RawSecretAccessKey: "a".repeat(43) },
    } as const;
    await refuses(call("CreateCustomKeyStore", { CustomKeyStoreName, ...proxy }), "XksProxyUriUnreachableException");
  });

  it("cannot hold a key", async () => {
    const { call } = startCalls();
    for (const Origin of ["AWS_CLOUDHSM", "EXTERNAL_KEY_STORE"] as const) {
      await refuses(call("CreateKey", { Origin, CustomKeyStoreId }), "CustomKeyStoreNotFoundException");
      await refuses(call("CreateKey", { Origin }), "ValidationException");
    }
    await refuses(call("CreateKey", { CustomKeyStoreId }), "ValidationException");
  });
});

describe("the owners that ListKeys asks for", () => {
  it("are this account, and no other that shares keys", async () => {
    const { call } = startCalls();
    await call("CreateKey", {});
    const count = async (ResourceOwners?: ("SELF" | "OTHER_ACCOUNTS_VIA_RAM")[]) =>
      (await call("ListKeys", { ResourceOwners })).Keys?.length;
    assert.deepEqual(
      [
        await count(),
        await count(["SELF"]),
        await count(["OTHER_ACCOUNTS_VIA_RAM"]),
        await count(["OTHER_ACCOUNTS_VIA_RAM", "SELF"]),
      ],
      [1, 1, 0, 1],
    );
  });
});

describe("the quotas of keys and aliases", () => {
  it("are told as AWS tells them, for replicas too", async () => {
    const { call } = startCalls({ limits: { keysPerRegion: 1, aliasesPerKey: 1 } });
    const { KeyMetadata } = await call("CreateKey", { MultiRegion: true });
    const KeyId = KeyMetadata?.KeyId ?? "";
    const keys = "Key quota for this account in this region is 1 but the current usage is 1.";
    await refuses(call("CreateKey", {}), "LimitExceededException", keys);
    await call("CreateKey", {}, { region: "eu-west-1" });
    await refuses(call("ReplicateKey", { KeyId, ReplicaRegion: "eu-west-1" }), "LimitExceededException", keys);
    await call("ReplicateKey", { KeyId, ReplicaRegion: "ap-south-1" });
    await call("CreateAlias", { AliasName: "alias/a", TargetKeyId: KeyId });
    const aliases = "Aliases per key quota for this account in this region is 1, current usage is 1.";
    await refuses(call("CreateAlias", { AliasName: "alias/b", TargetKeyId: KeyId }), "LimitExceededException", aliases);
  });
});
