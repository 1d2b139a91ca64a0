import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { before, describe, it } from "node:test";
import { KeyType } from "../../../src/plugin-sdk/index.ts";
import { useStage } from "../harness/stage.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

/** A request of CreateKey as KMS received it. */
interface CreateKeyRequest {
  readonly KeySpec: string;
  readonly KeyUsage: string;
  readonly Description: string;
  readonly Policy?: string;
  readonly Tags?: readonly { readonly TagKey: string; readonly TagValue: string }[];
}

/** The default key policy of the plugin's documentation, for the caller that the embedded KMS takes us for. */
const defaultPolicy = {
  Version: "2012-10-17",
  Statement: [
    {
      Sid: "Allow full access to the SPIRE Server role",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111122223333:role/spire-server" },
      Action: "kms:*",
      Resource: "*",
    },
    {
      Sid: "Allow KMS console to display the key and policy",
      Effect: "Allow",
      Principal: { AWS: "arn:aws:iam::111122223333:root" },
      Action: ["kms:Describe*", "kms:List*", "kms:Get*"],
      Resource: "*",
    },
  ],
};

const user = { accessKeyId: "AKIAUSEROFIAM0000001", arn: "arn:aws:iam::111122223333:user/admin" };
const govRole = { accessKeyId: "ASIAGOVCLOUD00000001", arn: "arn:aws-us-gov:sts::111122223333:assumed-role/spire/i-1" };

const customPolicy = `{
  "Version" : "2012-10-17",
  "Statement":[ {"Sid":"Schlüssel für alle","Effect":"Allow","Principal":{"AWS":"*"},"Action":"kms:*","Resource":"*"} ]
}
\n`;

describe("what new keys are made with", () => {
  const stage = useStage({ emulator: { identities: [user, govRole] } });
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
  });

  async function requestOf(keyType: KeyType = KeyType.EC_P256, by = plugin): Promise<CreateKeyRequest> {
    stage.kms.forgetCalls();
    await by.generate("x509-CA-A", keyType);
    const [call, ...more] = stage.kms.calls("CreateKey");
    assert.deepEqual(more, []);
    assert.ok(call);
    return call.input as CreateKeyRequest;
  }

  const policyInKms = async (serverId: string) => {
    const { keyId: KeyId } = await stage.kms.keyBehind(serverId, "x509-CA-A");
    return (await stage.kms.call<{ Policy: string }>("GetKeyPolicy", { KeyId })).Policy;
  };

  for (const [keyType, spec] of [
    [KeyType.EC_P256, "ECC_NIST_P256"],
    [KeyType.EC_P384, "ECC_NIST_P384"],
    [KeyType.RSA_2048, "RSA_2048"],
  ] as const) {
    it(`${spec}: a signing key with the trust domain in its description and nothing unasked for`, async () => {
      await plugin.configure();
      const { Policy, ...request } = await requestOf(keyType);
      const Description = "SPIRE_SERVER/example.org";
      assert.deepEqual(request, { KeySpec: spec, KeyUsage: "SIGN_VERIFY", Description });
      assert.deepEqual(JSON.parse(Policy ?? ""), defaultPolicy);
      const { spec: made, description } = await stage.kms.keyBehind("server", "x509-CA-A");
      assert.deepEqual([made, description], [spec, Description]);
      assert.deepEqual(JSON.parse(await policyInKms("server")), defaultPolicy);
    });
  }

  it("the default policy is of the role's own partition", async () => {
    const env = { AWS_ACCESS_KEY_ID: govRole.accessKeyId };
    const other = await stage.start({ env });
    await other.configure({ key_identifier_value: "gov" });
    const { Policy = "" } = await requestOf(KeyType.EC_P256, other);
    const { Statement } = JSON.parse(Policy) as typeof defaultPolicy;
    assert.deepEqual(
      Statement.map(({ Principal }) => Principal.AWS),
      ["arn:aws-us-gov:iam::111122223333:role/spire", "arn:aws-us-gov:iam::111122223333:root"],
    );
    await other.stop();
  });

  it("a caller without a role: a warning, and KMS's own default policy", async () => {
    const other = await stage.start({ env: { AWS_ACCESS_KEY_ID: user.accessKeyId } });
    await other.configure({ key_identifier_value: "user" });
    const warning = await other.logged(/has not assumed an IAM role/, user.arn);
    assert.equal(warning.level, "warn");
    assert.equal("Policy" in (await requestOf(KeyType.EC_P256, other)), false);
    assert.match(await policyInKms("user"), /Enable IAM User Permissions/);
    await other.stop();
  });

  it("key_policy_file is sent as it stands, spaces and all, and STS is not asked who we are", async () => {
    const path = join(stage.folder, "policy.json");
    await writeFile(path, customPolicy);
    stage.kms.forgetCalls();
    await plugin.configure({ key_policy_file: "./policy.json" });
    assert.deepEqual(stage.kms.calls("GetCallerIdentity"), []);
    assert.equal((await requestOf()).Policy, customPolicy);
    // It was read at Configure: what happens to the file afterwards shows at the next one.
    await writeFile(path, JSON.stringify(defaultPolicy));
    assert.equal((await requestOf()).Policy, customPolicy);
    await plugin.configure({ key_policy_file: path });
    assert.equal((await requestOf()).Policy, JSON.stringify(defaultPolicy));
  });

  it("key_tags are put on new keys, and on those only", async () => {
    await plugin.configure({ key_identifier_value: "tagged" });
    const { Tags } = await requestOf();
    assert.equal(Tags, undefined);
    const tags = { Environment: "production", "cost:center": "42", Größe: "groß + klein", empty: "" };
    await plugin.configure({ key_identifier_value: "tagged", key_tags: tags });
    const untagged = await stage.kms.keyBehind("tagged", "x509-CA-A");
    const tagsOf = async (KeyId: string) => {
      interface Answer {
        Tags: readonly { TagKey: string; TagValue: string }[];
      }
      const answer = await stage.kms.call<Answer>("ListResourceTags", { KeyId });
      return Object.fromEntries(answer.Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
    };
    assert.deepEqual(await tagsOf(untagged.keyId), {}, "a key that is there is not tagged afterwards");
    await requestOf();
    const { keyId } = await stage.kms.keyBehind("tagged", "x509-CA-A");
    assert.deepEqual(await tagsOf(keyId), tags);
  });

  it("numbers in key_tags are the strings that stand in the text", async () => {
    const text = `region = "us-east-2"\nkey_identifier_value = "numbers"\nkey_tags { Cost = 0042 }\n`;
    await plugin.configureText(text);
    assert.deepEqual((await requestOf()).Tags, [{ TagKey: "Cost", TagValue: "0042" }]);
  });
});
