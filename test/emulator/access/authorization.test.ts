/** Key policies and IAM policies decide who may do what. */
import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import {
  CreateAliasCommand,
  DeleteAliasCommand,
  DescribeKeyCommand,
  GetKeyPolicyCommand,
  GetPublicKeyCommand,
  type KMSClient,
  ListAliasesCommand,
  ListKeysCommand,
  PutKeyPolicyCommand,
  ScheduleKeyDeletionCommand,
  SignCommand,
  TagResourceCommand,
  UpdateAliasCommand,
} from "@aws-sdk/client-kms";
import type { IdentityConfig, RoleConfig } from "../../../src/kms-emulator/index.ts";
import { account, region, rejectsWith, startFixture } from "../fixture.ts";
import { createAlias, createKey, type Key } from "../key-fixture.ts";

const other = "444455556666";
const adminKey = { accessKeyId: "AKIDADMIN", secretAccessKey: "s" };
const spireKey = { accessKeyId: "AKIDSPIRE", secretAccessKey: "s" };
const strangerKey = { accessKeyId: "AKIDSTRANGER", secretAccessKey: "s" };
const session = `arn:aws:sts::${account}:assumed-role/spire/i-0abc`;
const roleArn = `arn:aws:iam::${account}:role/spire`;
const root = `arn:aws:iam::${account}:root`;

type Policies = readonly object[];

const statement = (parts: object) => ({ Effect: "Allow", Resource: "*", ...parts });
const document = (...Statement: object[]) => ({ Version: "2012-10-17", Statement });
const allow = (...Action: string[]) => document(statement({ Action }));

/** The permissions of SPIRE's server role, as the seeds list them. */
const spireActions = [
  "kms:CreateAlias",
  "kms:CreateKey",
  "kms:DescribeKey",
  "kms:GetPublicKey",
  "kms:ListKeys",
  "kms:ListAliases",
  "kms:ScheduleKeyDeletion",
  "kms:Sign",
  "kms:UpdateAlias",
  "kms:DeleteAlias",
  "kms:TagResource",
];

async function startStrict(t: TestContext, policies: Policies | undefined, more: Partial<IdentityConfig> = {}) {
  const identities: IdentityConfig[] = [
    { ...adminKey, arn: `arn:aws:iam::${account}:user/admin` },
    { ...strangerKey, arn: `arn:aws:iam::${other}:user/stranger` },
    { ...spireKey, arn: session, ...(policies ? { policies } : {}), ...more },
  ];
  const roles: RoleConfig[] = [{ arn: `arn:aws:iam::${account}:role/bystander` }];
  const fixture = await startFixture(t, { authorize: true, identities, roles });
  return {
    ...fixture,
    admin: fixture.kmsFor(adminKey),
    spire: fixture.kmsFor(spireKey),
    stranger: fixture.kmsFor(strangerKey),
  };
}

const sign = (KeyId: string) =>
  new SignCommand({ KeyId, Message: new Uint8Array(32), MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" });

/** What a SPIRE server does, one call per permission. */
const work: Record<string, (kms: KMSClient, key: Key) => Promise<unknown>> = {
  "kms:CreateKey": (kms) => createKey(kms),
  "kms:DescribeKey": (kms, { KeyId }) => kms.send(new DescribeKeyCommand({ KeyId })),
  "kms:GetPublicKey": (kms, { KeyId }) => kms.send(new GetPublicKeyCommand({ KeyId })),
  "kms:Sign": (kms, { KeyId }) => kms.send(sign(KeyId)),
  "kms:ListKeys": (kms) => kms.send(new ListKeysCommand({})),
  "kms:ListAliases": (kms) => kms.send(new ListAliasesCommand({})),
  "kms:CreateAlias": (kms, { KeyId }) =>
    kms.send(new CreateAliasCommand({ AliasName: "alias/new", TargetKeyId: KeyId })),
  "kms:UpdateAlias": (kms, { KeyId }) =>
    kms.send(new UpdateAliasCommand({ AliasName: "alias/old", TargetKeyId: KeyId })),
  "kms:DeleteAlias": (kms) => kms.send(new DeleteAliasCommand({ AliasName: "alias/old" })),
  "kms:TagResource": (kms, { KeyId }) =>
    kms.send(new TagResourceCommand({ KeyId, Tags: [{ TagKey: "a", TagValue: "b" }] })),
  "kms:ScheduleKeyDeletion": (kms, { KeyId }) => kms.send(new ScheduleKeyDeletionCommand({ KeyId })),
};

describe("the seeds' permission list", () => {
  it("is enough, with the default key policy delegating to it", async (t) => {
    const { admin, spire } = await startStrict(t, [allow(...spireActions)]);
    const key = await createKey(admin);
    await createAlias(admin, "alias/old", key);
    for (const call of Object.values(work)) await call(spire, key);
    assert.deepEqual(Object.keys(work).sort(), [...spireActions].sort());
  });

  for (const missing of spireActions) {
    it(`without ${missing} fails there and nowhere else`, async (t) => {
      const { admin, spire } = await startStrict(t, [allow(...spireActions.filter((action) => action !== missing))]);
      const key = await createKey(admin);
      await createAlias(admin, "alias/old", key);
      for (const [action, call] of Object.entries(work)) {
        if (action !== missing) await call(spire, key);
        else {
          const text = new RegExp(
            `^User: ${session} is not authorized to perform: ${missing} on resource: \\S+ because no identity-based policy allows the ${missing} action$`,
          );
          await rejectsWith(call(spire, key), "AccessDeniedException", text);
        }
      }
    });
  }

  it("needs kms:TagResource for a CreateKey with tags", async (t) => {
    const { spire } = await startStrict(t, [allow("kms:CreateKey")]);
    await createKey(spire);
    const tagged = createKey(spire, { Tags: [{ TagKey: "a", TagValue: "b" }] });
    await rejectsWith(tagged, "AccessDeniedException", /perform: kms:TagResource on resource: \* /);
  });
});

describe("a key policy", () => {
  /** SPIRE's built-in one: everything to the role, looking to the account. */
  const spirePolicy = JSON.stringify(
    document(
      statement({ Principal: { AWS: roleArn }, Action: "kms:*" }),
      statement({ Principal: { AWS: root }, Action: ["kms:Describe*", "kms:List*", "kms:Get*"] }),
    ),
  );

  it("of SPIRE's serves its role without IAM permissions, and keeps others to looking", async (t) => {
    const { admin, spire } = await startStrict(t, [allow("kms:CreateKey", "kms:CreateAlias")]);
    const key = await createKey(spire, { Policy: spirePolicy });
    const { KeyId, Arn } = key;
    await spire.send(sign(KeyId));
    await spire.send(new GetKeyPolicyCommand({ KeyId }));
    await createAlias(spire, "alias/a", key);
    await admin.send(new DescribeKeyCommand({ KeyId }));
    await rejectsWith(
      admin.send(sign(KeyId)),
      "AccessDeniedException",
      `User: arn:aws:iam::${account}:user/admin is not authorized to perform: kms:Sign on resource: ${Arn} because no resource-based policy allows the kms:Sign action`,
    );
    await rejectsWith(admin.send(new ScheduleKeyDeletionCommand({ KeyId })), "AccessDeniedException");
  });

  it("of SPIRE's for a role with a path names a role that does not exist", async (t) => {
    const more = { roleArn: `arn:aws:iam::${account}:role/path/spire` };
    const { spire } = await startStrict(t, undefined, more);
    await rejectsWith(
      createKey(spire, { Policy: spirePolicy }),
      "MalformedPolicyDocumentException",
      "Policy contains a statement with one or more invalid principals.",
    );
    await createKey(spire, { Policy: spirePolicy.replace(roleArn, more.roleArn) });
  });

  it("may only name principals that exist", async (t) => {
    const { spire } = await startStrict(t, undefined);
    const naming = (AWS: string) =>
      JSON.stringify(
        document(
          statement({ Principal: { AWS: root }, Action: "kms:*" }),
          statement({ Principal: { AWS }, Action: "kms:Sign" }),
        ),
      );
    for (const name of [
      roleArn,
      session,
      account,
      other,
      `arn:aws:iam::${account}:role/bystander`,
      `arn:aws:iam::${other}:user/stranger`,
    ]) {
      await createKey(spire, { Policy: naming(name) });
    }
    for (const name of [
      `arn:aws:iam::${account}:role/unknown`,
      `arn:aws:iam::${account}:user/spire`,
      "AROAAAAAAAAAAAAAAAAAA",
    ]) {
      await rejectsWith(
        createKey(spire, { Policy: naming(name) }),
        "MalformedPolicyDocumentException",
        /invalid principals\.$/,
      );
    }
  });

  it("that delegates locks a caller out who lacks kms:PutKeyPolicy in IAM", async (t) => {
    const { spire } = await startStrict(t, [allow("kms:CreateKey")]);
    const Policy = JSON.stringify(document(statement({ Principal: { AWS: root }, Action: "kms:*" })));
    await rejectsWith(createKey(spire, { Policy }), "MalformedPolicyDocumentException", /will not allow you to update/);
    await createKey(spire, { Policy, BypassPolicyLockoutSafetyCheck: true });
  });

  it("without delegation leaves IAM permissions without effect; an IAM deny still counts", async (t) => {
    const deny = document(statement({ Action: "*" }), statement({ Effect: "Deny", Action: "kms:GetPublicKey" }));
    const { spire, admin } = await startStrict(t, [deny]);
    const onlyAdmin = JSON.stringify(
      document(statement({ Principal: { AWS: `arn:aws:iam::${account}:user/admin` }, Action: "kms:*" })),
    );
    const { KeyId } = await createKey(admin, { Policy: onlyAdmin });
    await rejectsWith(
      spire.send(sign(KeyId)),
      "AccessDeniedException",
      /no resource-based policy allows the kms:Sign action$/,
    );
    const mine = await createKey(spire, { Policy: spirePolicy });
    await spire.send(sign(mine.KeyId));
    const getting = spire.send(new GetPublicKeyCommand({ KeyId: mine.KeyId }));
    await rejectsWith(getting, "AccessDeniedException", /with an explicit deny in an identity-based policy$/);
  });

  it("can deny what it allows", async (t) => {
    const { spire } = await startStrict(t, undefined);
    const Policy = JSON.stringify(
      document(
        statement({ Principal: { AWS: roleArn }, Action: "kms:*" }),
        statement({ Effect: "Deny", Principal: "*", Action: "kms:Sign" }),
      ),
    );
    const { KeyId } = await createKey(spire, { Policy });
    await rejectsWith(
      spire.send(sign(KeyId)),
      "AccessDeniedException",
      /with an explicit deny in a resource-based policy$/,
    );
  });

  it("lets another account in, if that account's IAM does, too; the key is named by ARN", async (t) => {
    const { admin, stranger } = await startStrict(t, undefined);
    const sharing = JSON.stringify(
      document(
        statement({ Principal: { AWS: root }, Action: "kms:*" }),
        statement({ Principal: { AWS: other }, Action: ["kms:Sign", "kms:DescribeKey", "kms:ScheduleKeyDeletion"] }),
      ),
    );
    const shared = await createKey(admin, { Policy: sharing });
    const own = await createKey(admin);
    await stranger.send(sign(shared.Arn));
    await stranger.send(new DescribeKeyCommand({ KeyId: shared.Arn }));
    await rejectsWith(stranger.send(sign(shared.KeyId)), "NotFoundException");
    await rejectsWith(
      stranger.send(sign(own.Arn)),
      "AccessDeniedException",
      /because the resource does not exist in this Region, no resource-based policies allow access, or/,
    );
    await rejectsWith(stranger.send(new ScheduleKeyDeletionCommand({ KeyId: shared.Arn })), "AccessDeniedException");
  });
});

describe("conditions", () => {
  const tags = (value: string) => [{ TagKey: "team", TagValue: value }];

  it("on aws:ResourceTag and aws:RequestTag", async (t) => {
    const { admin, spire } = await startStrict(t, [
      document(
        statement({
          Action: ["kms:Sign", "kms:TagResource"],
          Condition: { StringEquals: { "aws:ResourceTag/team": "spire" } },
        }),
        statement({
          Action: ["kms:CreateKey", "kms:TagResource"],
          Condition: { StringEquals: { "aws:RequestTag/team": "spire" } },
        }),
      ),
    ]);
    const [ours, theirs] = [
      await createKey(admin, { Tags: tags("spire") }),
      await createKey(admin, { Tags: tags("web") }),
    ];
    await spire.send(sign(ours.KeyId));
    await rejectsWith(spire.send(sign(theirs.KeyId)), "AccessDeniedException");
    await createKey(spire, { Tags: tags("spire") });
    await rejectsWith(createKey(spire, { Tags: tags("web") }), "AccessDeniedException");
    await rejectsWith(createKey(spire), "AccessDeniedException");
  });

  it("on kms:ResourceAliases", async (t) => {
    const condition = { "ForAnyValue:StringLike": { "kms:ResourceAliases": "alias/SPIRE_SERVER/*" } };
    const { admin, spire } = await startStrict(t, [document(statement({ Action: "kms:Sign", Condition: condition }))]);
    const key = await createKey(admin);
    await rejectsWith(spire.send(sign(key.KeyId)), "AccessDeniedException");
    await createAlias(admin, "alias/SPIRE_SERVER/td/id/key", key);
    await spire.send(sign(key.KeyId));
  });

  it("on kms:RequestAlias: the key only by its alias", async (t) => {
    const condition = { StringEquals: { "kms:RequestAlias": "alias/signer" } };
    const { admin, spire } = await startStrict(t, [document(statement({ Action: "kms:Sign", Condition: condition }))]);
    const key = await createKey(admin);
    await createAlias(admin, "alias/signer", key);
    await spire.send(sign("alias/signer"));
    await spire.send(sign(`arn:aws:kms:${region}:${account}:alias/signer`));
    await rejectsWith(spire.send(sign(key.KeyId)), "AccessDeniedException");
  });

  it("on kms:KeySpec, kms:SigningAlgorithm and the principal; on resources by ARN", async (t) => {
    const { admin, spire } = await startStrict(t, [
      document(
        statement({ Action: "kms:CreateKey", Condition: { StringLike: { "kms:KeySpec": "ECC_*" } } }),
        statement({
          Action: "kms:Sign",
          Resource: `arn:aws:kms:${region}:*:key/*`,
          Condition: {
            StringEquals: { "kms:SigningAlgorithm": ["ECDSA_SHA_256"] },
            ArnLike: { "aws:PrincipalArn": "*:role/spire" },
          },
        }),
        statement({ Action: "kms:CreateAlias", Resource: [`arn:aws:kms:*:*:alias/SPIRE_*`, "arn:aws:kms:*:*:key/*"] }),
      ),
    ]);
    await rejectsWith(createKey(spire, { KeySpec: "RSA_2048" }), "AccessDeniedException");
    const key = await createKey(spire);
    await spire.send(sign(key.KeyId));
    const larger = await createKey(admin, { KeySpec: "ECC_NIST_P384" });
    const signing = new SignCommand({
      KeyId: larger.KeyId,
      Message: new Uint8Array(48),
      MessageType: "DIGEST",
      SigningAlgorithm: "ECDSA_SHA_384",
    });
    await rejectsWith(spire.send(signing), "AccessDeniedException");
    await createAlias(spire, "alias/SPIRE_a", key);
    await rejectsWith(
      createAlias(spire, "alias/a", key),
      "AccessDeniedException",
      /on resource: arn:aws:kms:us-east-1:111122223333:alias\/a /,
    );
  });
});

describe("with permissions on", () => {
  it("unknown access keys and unsigned requests are refused", async (t) => {
    const { kms, target } = await startStrict(t, undefined);
    await rejectsWith(kms.send(new ListKeysCommand({})), "UnrecognizedClientException");
    const unsigned = await target("ListKeys", {});
    assert.deepEqual(
      [unsigned.status, (unsigned.json as { __type: string }).__type],
      [400, "MissingAuthenticationTokenException"],
    );
  });

  it("a key that does not exist is NotFoundException to who may ask, AccessDeniedException to others [I]", async (t) => {
    const { admin, spire } = await startStrict(t, []);
    const KeyId = "1234abcd-12ab-34cd-56ef-1234567890ab";
    await rejectsWith(admin.send(new DescribeKeyCommand({ KeyId })), "NotFoundException");
    await rejectsWith(spire.send(new DescribeKeyCommand({ KeyId })), "AccessDeniedException");
  });

  it("the account's root has no access to a key whose policy does not name the account", async (t) => {
    const { admin } = await startStrict(t, undefined, { arn: root });
    const asRoot = await startStrict(t, undefined, { arn: root });
    const Policy = JSON.stringify(
      document(statement({ Principal: { AWS: `arn:aws:iam::${account}:user/admin` }, Action: "kms:*" })),
    );
    const { KeyId } = await createKey(asRoot.admin, { Policy });
    await rejectsWith(asRoot.spire.send(sign(KeyId)), "AccessDeniedException");
    await asRoot.spire.send(sign((await createKey(asRoot.admin)).KeyId));
    await admin.send(new PutKeyPolicyCommand({ KeyId: (await createKey(admin)).KeyId, Policy }));
  });
});
