import { constants, createHash, createPublicKey, verify } from "node:crypto";
import * as kms from "@aws-sdk/client-kms";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";

/** One service under comparison. */
export interface Subject {
  readonly kms: kms.KMSClient;
  readonly sts: STSClient;
  /** GetResources by hand: the tagging SDK is no dependency. */
  getResources(input: object): Promise<Record<string, unknown>>;
}

export interface Probe {
  /** What is asked. */
  readonly title: string;
  /** Row of docs/aws-kms-behaviour.md, "Other emulators", that says what AWS does. */
  readonly row: string;
  /** AWS's answer, in the form that `run` returns. */
  readonly real: unknown;
  run(subject: Subject): Promise<unknown>;
}

export function openSubject(endpoint: string): Subject & { close(): void } {
  const config = { endpoint, region: "us-east-1", credentials: { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "s" } };
  const clients = {
    kms: new kms.KMSClient({ ...config, maxAttempts: 1 }),
    sts: new STSClient({ ...config, maxAttempts: 1 }),
  };
  return {
    ...clients,
    async getResources(input) {
      const headers = {
        "X-Amz-Target": "ResourceGroupsTaggingAPI_20170126.GetResources",
        "Content-Type": "application/x-amz-json-1.1",
        Authorization:
          "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/tagging/aws4_request, SignedHeaders=host, Signature=0",
      };
      const reply = await fetch(endpoint, {
        method: "POST",
        headers,
        body: JSON.stringify(input),
        signal: AbortSignal.timeout(20_000),
      });
      return (await reply.json()) as Record<string, unknown>;
    },
    close() {
      clients.kms.destroy();
      clients.sts.destroy();
    },
  };
}

/** `ok`, or the name of the exception. */
const outcome = (sent: Promise<unknown>): Promise<string> =>
  sent.then(
    () => "ok",
    (error: Error) => error.name,
  );

const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" } as const;

async function newKey({ kms: client }: Subject, input: object = signing): Promise<{ KeyId: string; Arn: string }> {
  const { KeyMetadata } = await client.send(new kms.CreateKeyCommand(input));
  return { KeyId: KeyMetadata?.KeyId ?? "", Arn: KeyMetadata?.Arn ?? "" };
}

let aliases = 0;
const newAlias = () => `alias/probe-${process.pid}-${aliases++}`;

async function aliased(subject: Subject): Promise<{ key: { KeyId: string; Arn: string }; AliasName: string }> {
  const key = await newKey(subject);
  const AliasName = newAlias();
  await subject.kms.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: key.KeyId }));
  return { key, AliasName };
}

const message = Buffer.from("message");
const digest = createHash("sha256").update(message).digest();
const byDigest = { Message: digest, MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" } as const;

async function publicKeyOf(subject: Subject, KeyId: string) {
  const { PublicKey } = await subject.kms.send(new kms.GetPublicKeyCommand({ KeyId }));
  return createPublicKey({ key: Buffer.from(PublicKey ?? []), format: "der", type: "spki" });
}

const sign = (subject: Subject, input: Partial<kms.SignCommandInput> & { KeyId: string }) =>
  subject.kms.send(new kms.SignCommand({ ...byDigest, ...input }));

const tags = (count: number) => Array.from({ length: count }, (_, index) => ({ TagKey: `k${index}`, TagValue: "v" }));

async function inState(subject: Subject, state: "Disabled" | "PendingDeletion") {
  const key = await newKey(subject);
  const { KeyId } = key;
  if (state === "Disabled") await subject.kms.send(new kms.DisableKeyCommand({ KeyId }));
  else await subject.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
  return key;
}

async function stateOf(subject: Subject, KeyId: string): Promise<unknown> {
  return (await subject.kms.send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyState;
}

/** The client script: what SPIRE and its tests depend on, and every row in which moto differs. */
export const probes: readonly Probe[] = [
  {
    title: "CreateKey and DescribeKey of a signing key: spec, usage, state, algorithms",
    row: "KeyMetadata",
    real: ["ECC_NIST_P256", "SIGN_VERIFY", "Enabled", true, "CUSTOMER", ["ECDSA_SHA_256"]],
    async run(subject) {
      const { KeyId } = await newKey(subject);
      const { KeyMetadata: m } = await subject.kms.send(new kms.DescribeKeyCommand({ KeyId }));
      return [m?.KeySpec, m?.KeyUsage, m?.KeyState, m?.Enabled, m?.KeyManager, m?.SigningAlgorithms];
    },
  },
  {
    title: "MultiRegion in KeyMetadata of a single-Region key",
    row: "KeyMetadata",
    real: false,
    run: async (subject) =>
      (await subject.kms.send(new kms.DescribeKeyCommand({ KeyId: (await newKey(subject)).KeyId }))).KeyMetadata
        ?.MultiRegion,
  },
  {
    title: "DescribeKey by alias name and by key ARN",
    row: "DescribeKey by alias and ARN",
    real: true,
    async run(subject) {
      const { key, AliasName } = await aliased(subject);
      const ids = [];
      for (const KeyId of [AliasName, key.Arn])
        ids.push((await subject.kms.send(new kms.DescribeKeyCommand({ KeyId }))).KeyMetadata?.KeyId);
      return ids.every((id) => id === key.KeyId);
    },
  },
  {
    title: "DescribeKey of a key that does not exist",
    row: "Exceptions",
    real: "NotFoundException",
    run: (subject) =>
      outcome(subject.kms.send(new kms.DescribeKeyCommand({ KeyId: "1234abcd-12ab-34cd-56ef-1234567890ab" }))),
  },
  {
    title: "an alias has CreationDate and LastUpdatedDate",
    row: "Alias CreationDate/LastUpdatedDate",
    real: [true, true],
    async run(subject) {
      const { key } = await aliased(subject);
      const { Aliases } = await subject.kms.send(new kms.ListAliasesCommand({ KeyId: key.KeyId }));
      return [Aliases?.[0]?.CreationDate instanceof Date, Aliases?.[0]?.LastUpdatedDate instanceof Date];
    },
  },
  {
    title: "UpdateAlias from a signing key to a symmetric key",
    row: "UpdateAlias type/usage rule",
    real: "ValidationException",
    async run(subject) {
      const { AliasName } = await aliased(subject);
      const { KeyId } = await newKey(subject, {});
      return outcome(subject.kms.send(new kms.UpdateAliasCommand({ AliasName, TargetKeyId: KeyId })));
    },
  },
  {
    title: "UpdateAlias from ECC to RSA, both SIGN_VERIFY",
    row: "UpdateAlias type/usage rule",
    real: "ok",
    async run(subject) {
      const { AliasName } = await aliased(subject);
      const { KeyId } = await newKey(subject, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
      return outcome(subject.kms.send(new kms.UpdateAliasCommand({ AliasName, TargetKeyId: KeyId })));
    },
  },
  {
    title: "CreateAlias with a name that exists",
    row: "Alias name rules",
    real: "AlreadyExistsException",
    async run(subject) {
      const { key, AliasName } = await aliased(subject);
      return outcome(subject.kms.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: key.KeyId })));
    },
  },
  {
    title: "CreateAlias without the prefix",
    row: "Alias name rules",
    real: "ValidationException",
    run: async (subject) =>
      outcome(
        subject.kms.send(new kms.CreateAliasCommand({ AliasName: "foo", TargetKeyId: (await newKey(subject)).KeyId })),
      ),
  },
  {
    title: "CreateAlias with 257 characters",
    row: "Alias name rules",
    real: "ValidationException",
    async run(subject) {
      const AliasName = `alias/${"a".repeat(251)}`;
      return outcome(
        subject.kms.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: (await newKey(subject)).KeyId })),
      );
    },
  },
  {
    title: "CreateAlias alias/aws/probe",
    row: "Alias name rules",
    real: "NotAuthorizedException",
    async run(subject) {
      const AliasName = `alias/aws/probe${aliases++}`;
      return outcome(
        subject.kms.send(new kms.CreateAliasCommand({ AliasName, TargetKeyId: (await newKey(subject)).KeyId })),
      );
    },
  },
  {
    title: "a 51st alias of a key",
    row: "50 aliases/key, 50 tags/key",
    real: "LimitExceededException",
    async run(subject) {
      const { KeyId } = await newKey(subject);
      const create = () => subject.kms.send(new kms.CreateAliasCommand({ AliasName: newAlias(), TargetKeyId: KeyId }));
      for (let index = 0; index < 50; index += 1) await create();
      return outcome(create());
    },
  },
  {
    title: "RAW ECDSA verifies over the message",
    row: "Sign MessageType DIGEST",
    real: true,
    async run(subject) {
      const { KeyId } = await newKey(subject);
      const { Signature } = await sign(subject, { KeyId, Message: message, MessageType: "RAW" });
      return verify("sha256", message, await publicKeyOf(subject, KeyId), Signature ?? new Uint8Array());
    },
  },
  {
    title: "DIGEST ECDSA verifies over the digest",
    row: "Sign MessageType DIGEST",
    real: true,
    async run(subject) {
      const { KeyId } = await newKey(subject);
      const { Signature } = await sign(subject, { KeyId });
      return verify("sha256", message, await publicKeyOf(subject, KeyId), Signature ?? new Uint8Array());
    },
  },
  {
    title: "a SHA-256 digest of 3 bytes",
    row: "Digest length check",
    real: "ValidationException",
    run: async (subject) => outcome(sign(subject, { ...(await newKey(subject)), Message: new Uint8Array(3) })),
  },
  {
    title: "a message of 5000 bytes",
    row: "Message >4096",
    real: "ValidationException",
    run: async (subject) =>
      outcome(sign(subject, { ...(await newKey(subject)), Message: new Uint8Array(5000), MessageType: "RAW" })),
  },
  {
    title: "PSS verifies with a salt as long as the hash",
    row: "PSS salt",
    real: true,
    async run(subject) {
      const { KeyId } = await newKey(subject, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
      const { Signature } = await sign(subject, {
        KeyId,
        Message: message,
        MessageType: "RAW",
        SigningAlgorithm: "RSASSA_PSS_SHA_256",
      });
      const key = await publicKeyOf(subject, KeyId);
      return verify(
        "sha256",
        message,
        { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 },
        Signature ?? new Uint8Array(),
      );
    },
  },
  {
    title: "PKCS#1 v1.5 verifies",
    row: "PSS salt",
    real: true,
    async run(subject) {
      const { KeyId } = await newKey(subject, { KeySpec: "RSA_2048", KeyUsage: "SIGN_VERIFY" });
      const { Signature } = await sign(subject, {
        KeyId,
        Message: message,
        MessageType: "RAW",
        SigningAlgorithm: "RSASSA_PKCS1_V1_5_SHA_256",
      });
      return verify("sha256", message, await publicKeyOf(subject, KeyId), Signature ?? new Uint8Array());
    },
  },
  {
    title: "Sign with DryRun",
    row: "DryRun",
    real: "DryRunOperationException",
    run: async (subject) => outcome(sign(subject, { ...(await newKey(subject)), DryRun: true })),
  },
  {
    title: "Sign with a key for encryption",
    row: "Key of wrong usage",
    real: "InvalidKeyUsageException",
    run: async (subject) => outcome(sign(subject, await newKey(subject, {}))),
  },
  {
    title: "Sign with an algorithm of another spec",
    row: "Wrong algorithm for spec",
    real: "InvalidKeyUsageException",
    run: async (subject) =>
      outcome(
        sign(subject, { ...(await newKey(subject)), SigningAlgorithm: "ECDSA_SHA_384", Message: new Uint8Array(48) }),
      ),
  },
  {
    title: "Sign answers with the key's ARN",
    row: "GetPublicKey",
    real: true,
    async run(subject) {
      const { KeyId, Arn } = await newKey(subject);
      return (await sign(subject, { KeyId })).KeyId === Arn;
    },
  },
  {
    title: "GetPublicKey answers with the key's ARN and its KeySpec",
    row: "GetPublicKey",
    real: [true, "ECC_NIST_P256"],
    async run(subject) {
      const { KeyId, Arn } = await newKey(subject);
      const reply = await subject.kms.send(new kms.GetPublicKeyCommand({ KeyId }));
      return [reply.KeyId === Arn, reply.KeySpec];
    },
  },
  {
    title: "GetPublicKey of a symmetric key",
    row: "GetPublicKey",
    real: "UnsupportedOperationException",
    run: async (subject) => outcome(subject.kms.send(new kms.GetPublicKeyCommand(await newKey(subject, {})))),
  },
  ...(["Disabled", "PendingDeletion"] as const).flatMap((state): Probe[] => {
    const real = state === "Disabled" ? "DisabledException" : "KMSInvalidStateException";
    const row = "Disabled / pending key Sign, GetPublicKey";
    return [
      {
        title: `Sign with a key that is ${state}`,
        row,
        real,
        run: async (subject) => outcome(sign(subject, await inState(subject, state))),
      },
      {
        title: `GetPublicKey of a key that is ${state}`,
        row,
        real,
        run: async (subject) => outcome(subject.kms.send(new kms.GetPublicKeyCommand(await inState(subject, state)))),
      },
    ];
  }),
  {
    title: "EnableKey, CreateAlias and TagResource on a key that is pending deletion",
    row: "State checks on management ops",
    real: ["KMSInvalidStateException", "KMSInvalidStateException", "KMSInvalidStateException"],
    async run(subject) {
      const { KeyId } = await inState(subject, "PendingDeletion");
      return Promise.all([
        outcome(subject.kms.send(new kms.EnableKeyCommand({ KeyId }))),
        outcome(subject.kms.send(new kms.CreateAliasCommand({ AliasName: newAlias(), TargetKeyId: KeyId }))),
        outcome(subject.kms.send(new kms.TagResourceCommand({ KeyId, Tags: tags(1) }))),
      ]);
    },
  },
  {
    title: "CancelKeyDeletion leaves the key Disabled",
    row: "CancelKeyDeletion result",
    real: "Disabled",
    async run(subject) {
      const { KeyId } = await inState(subject, "PendingDeletion");
      await subject.kms.send(new kms.CancelKeyDeletionCommand({ KeyId }));
      return stateOf(subject, KeyId);
    },
  },
  {
    title: "CancelKeyDeletion of a key that is not pending",
    row: "CancelKeyDeletion result",
    real: "KMSInvalidStateException",
    run: async (subject) => outcome(subject.kms.send(new kms.CancelKeyDeletionCommand(await newKey(subject)))),
  },
  {
    title: "ScheduleKeyDeletion: ARN, state and window in the answer",
    row: "ScheduleKeyDeletion",
    real: [true, "PendingDeletion", 7, true],
    async run(subject) {
      const { KeyId, Arn } = await newKey(subject);
      const reply = await subject.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 7 }));
      return [reply.KeyId === Arn, reply.KeyState, reply.PendingWindowInDays, reply.DeletionDate instanceof Date];
    },
  },
  {
    title: "ScheduleKeyDeletion with a window of 3 days, and twice",
    row: "ScheduleKeyDeletion",
    real: ["ValidationException", "KMSInvalidStateException"],
    async run(subject) {
      const { KeyId } = await newKey(subject);
      const { KeyId: pending } = await inState(subject, "PendingDeletion");
      return [
        await outcome(subject.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId, PendingWindowInDays: 3 }))),
        await outcome(subject.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId: pending }))),
      ];
    },
  },
  {
    title: "ScheduleKeyDeletion by key ARN",
    row: "ScheduleKeyDeletion",
    real: "ok",
    async run(subject) {
      const { Arn } = await newKey(subject);
      return outcome(subject.kms.send(new kms.ScheduleKeyDeletionCommand({ KeyId: Arn })));
    },
  },
  {
    title: "CreateKey of an ECC key for encryption, and without usage",
    row: "CreateKey usage/spec validation",
    real: ["ValidationException", "ValidationException"],
    run: ({ kms: client }) =>
      Promise.all([
        outcome(client.send(new kms.CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "ENCRYPT_DECRYPT" }))),
        outcome(client.send(new kms.CreateKeyCommand({ KeySpec: "ECC_NIST_P256" }))),
      ]),
  },
  {
    title: "tags of CreateKey come back",
    row: "Tags in CreateKey",
    real: [{ TagKey: "a", TagValue: "b" }],
    async run(subject) {
      const { KeyId } = await newKey(subject, { ...signing, Tags: [{ TagKey: "a", TagValue: "b" }] });
      return (await subject.kms.send(new kms.ListResourceTagsCommand({ KeyId }))).Tags;
    },
  },
  {
    title: "60 tags, a reserved tag, a doubled tag",
    row: "Tag limits/dups/`aws:`",
    real: ["TagException", "TagException", "TagException"],
    run: ({ kms: client }) =>
      Promise.all(
        [tags(60), [{ TagKey: "aws:foo", TagValue: "" }], [...tags(1), ...tags(1)]].map((Tags) =>
          outcome(client.send(new kms.CreateKeyCommand({ ...signing, Tags }))),
        ),
      ),
  },
  {
    title: "Limit of ListKeys and ListAliases",
    row: "ListKeys / ListAliases / ListResourceTags paging",
    real: [1, true, 1, true],
    async run(subject) {
      await aliased(subject);
      await aliased(subject);
      const keys = await subject.kms.send(new kms.ListKeysCommand({ Limit: 1 }));
      const listed = await subject.kms.send(new kms.ListAliasesCommand({ Limit: 1 }));
      return [
        keys.Keys?.length,
        keys.NextMarker !== undefined,
        listed.Aliases?.length,
        listed.NextMarker !== undefined,
      ];
    },
  },
  {
    title: "a made-up marker",
    row: "ListKeys / ListAliases / ListResourceTags paging",
    real: "InvalidMarkerException",
    run: ({ kms: client }) => outcome(client.send(new kms.ListKeysCommand({ Marker: "made-up" }))),
  },
  {
    title: "every listed alias with a target can be described",
    row: "ListAliases",
    real: true,
    async run(subject) {
      await aliased(subject);
      const { Aliases } = await subject.kms.send(new kms.ListAliasesCommand({ Limit: 100 }));
      const targets = (Aliases ?? []).flatMap((alias) => alias.TargetKeyId ?? []);
      const outcomes = await Promise.all(
        targets.map((KeyId) => outcome(subject.kms.send(new kms.DescribeKeyCommand({ KeyId })))),
      );
      return outcomes.every((result) => result === "ok");
    },
  },
  {
    title: "a key's ARN with another Region",
    row: "Wrong-Region ARN",
    real: "NotFoundException",
    async run(subject) {
      const { Arn } = await newKey(subject);
      return outcome(subject.kms.send(new kms.DescribeKeyCommand({ KeyId: Arn.replace("us-east-1", "eu-west-1") })));
    },
  },
  {
    title: "a policy that is no policy",
    row: "Key policy validation, lockout, 32 KB",
    real: "MalformedPolicyDocumentException",
    run: ({ kms: client }) => outcome(client.send(new kms.CreateKeyCommand({ Policy: "no policy" }))),
  },
  {
    title: "GetKeyPolicy without PolicyName: default policy, and its name in the answer",
    row: "GetKeyPolicy without PolicyName",
    real: ["ok", "default", "key-default-1"],
    async run(subject) {
      const { KeyId } = await newKey(subject);
      const sent = subject.kms.send(new kms.GetKeyPolicyCommand({ KeyId }));
      const result = await outcome(sent);
      if (result !== "ok") return [result, undefined, undefined];
      const { Policy, PolicyName } = await sent;
      return [result, PolicyName, (JSON.parse(Policy ?? "{}") as { Id?: string }).Id];
    },
  },
  {
    title: "a multi-Region key's id",
    row: "Multi-Region",
    real: true,
    run: async (subject) => /^mrk-[0-9a-f]{32}$/.test((await newKey(subject, { ...signing, MultiRegion: true })).KeyId),
  },
  {
    title: "ReplicateKey: state of the replica, and a second time",
    row: "Multi-Region",
    real: ["Creating", "AlreadyExistsException"],
    async run(subject) {
      const { KeyId } = await newKey(subject, { ...signing, MultiRegion: true });
      const replicate = () => subject.kms.send(new kms.ReplicateKeyCommand({ KeyId, ReplicaRegion: "eu-west-1" }));
      return [(await replicate()).ReplicaKeyMetadata?.KeyState, await outcome(replicate())];
    },
  },
  {
    title: "ReplicateKey of a single-Region key",
    row: "Multi-Region",
    real: "UnsupportedOperationException",
    run: async (subject) =>
      outcome(
        subject.kms.send(
          new kms.ReplicateKeyCommand({ KeyId: (await newKey(subject)).KeyId, ReplicaRegion: "eu-west-1" }),
        ),
      ),
  },
  {
    title: "GetResources by tag",
    row: "GetResources for KMS",
    real: [true, 1],
    async run(subject) {
      const Value = newAlias();
      const { Arn } = await newKey(subject, { ...signing, Tags: [{ TagKey: "probe", TagValue: Value }] });
      const reply = await subject.getResources({
        TagFilters: [{ Key: "probe", Values: [Value] }],
        ResourceTypeFilters: ["kms:key"],
      });
      const list = reply.ResourceTagMappingList as { ResourceARN: string }[];
      return [list[0]?.ResourceARN === Arn, list.length];
    },
  },
  {
    title: "GetResources ends with an empty PaginationToken",
    row: "GetResources for KMS",
    real: "",
    run: async (subject) => (await subject.getResources({ TagFilters: [{ Key: "absent" }] })).PaginationToken ?? null,
  },
  {
    title: "GetResources with an ARN list and a filter",
    row: "GetResources for KMS",
    real: "InvalidParameterException",
    async run(subject) {
      const { Arn } = await newKey(subject);
      return (await subject.getResources({ ResourceARNList: [Arn], TagFilters: [{ Key: "a" }] })).__type ?? "ok";
    },
  },
  {
    title: "GetCallerIdentity answers with an ARN of a form that AWS has",
    row: "STS",
    real: true,
    async run(subject) {
      const { Arn } = await subject.sts.send(new GetCallerIdentityCommand({}));
      return /^arn:aws:(iam::\d{12}:(root|user\/.+)|sts::\d{12}:(assumed-role\/[^/]+\/[^/]+|federated-user\/.+))$/.test(
        Arn ?? "",
      );
    },
  },
];
