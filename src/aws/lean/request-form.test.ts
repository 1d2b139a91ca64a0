/** Lean requests beside the SDK's, wherever the SDK would send them. */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { after, afterEach, beforeEach, describe, it } from "node:test";
import { KMSClient, type SignCommand } from "@aws-sdk/client-kms";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { subjects } from "../../../test/lean/subjects.ts";
import { sleeplessClock } from "../../../test/simulation/virtual-time.ts";
import { type ClientConfig, createAwsClients } from "../clients.ts";
import type { AwsKmsClient } from "../kms-client.ts";
import { listKeys } from "./operations.ts";

const clock = sleeplessClock({ now: () => new Date() });
const { sha256 } = new KMSClient({ region: "us-east-2" }).config;
const keyArn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const folder = mkdtempSync(join(tmpdir(), "sign-form-"));

const base: ClientConfig = {
  region: "us-east-2",
  credentials: { accessKeyId: "AKIATEST", secretAccessKey: "secret", sessionToken: undefined },
  profile: undefined,
  assumeRole: undefined,
  useFipsEndpoint: undefined,
  useDualstackEndpoint: undefined,
  signTransport: "sdk",
  hedgeSignatures: true,
  endpoint: undefined,
  stsEndpoint: undefined,
};

interface Sent {
  readonly protocol: string;
  readonly hostname: string;
  readonly port: number | undefined;
  readonly path: string;
  readonly query: unknown;
  readonly headers: Record<string, string>;
  readonly body: unknown;
}

/** What the SDK's requests have for a body; ours is text. */
const isBySdk = ({ body }: Sent) => typeof body !== "string";

/** The SDK's body is an array of bytes that warns of any other use. */
function textOf(body: unknown): string {
  if (typeof body === "string") return body;
  assert.ok(body instanceof Uint8Array);
  return Buffer.from(body.buffer, body.byteOffset, body.byteLength).toString();
}

/** Puts an answer in the place of each request, and notes it. */
function catchRequests(): readonly Sent[] {
  const sent: Sent[] = [];
  NodeHttpHandler.prototype.handle = async (request) => {
    const { protocol, hostname, port, path, query, headers, body } = request;
    sent.push({ protocol, hostname, port, path, query, headers, body });
    const operation = headers["x-amz-target"]?.replace("TrentService.", "") ?? "";
    const { KeyId } = JSON.parse(textOf(body));
    const { good } = subjects.find((subject) => subject.operation === operation) ?? { good: "" };
    const text = operation === "Sign" ? JSON.stringify({ KeyId, Signature: "AQID" }) : good;
    const answer = Readable.from(text === "" ? [] : [Buffer.from(text)]);
    const headersBack = { "content-length": "1", date: new Date().toUTCString() };
    const response = { statusCode: 200, headers: headersBack, body: Object.assign(answer, { headers: headersBack }) };
    return { response } as never;
  };
  return sent;
}

/** The requests of some signatures that one configuration's client makes one after another. */
async function signaturesOf(config: Partial<ClientConfig>, keyIds: readonly string[]): Promise<readonly Sent[]> {
  const sent = catchRequests();
  const clients = createAwsClients({ ...base, ...config }, clock, ["spire-aws-kms", "1.2.3"]);
  for (const keyId of keyIds) {
    const digest = Uint8Array.from({ length: 32 }, (_, index) => index + sent.length);
    const signature = await clients.kms.sign({ keyArn: keyId, digest, signingAlgorithm: "ECDSA_SHA_256" });
    assert.deepEqual(signature, Uint8Array.of(1, 2, 3));
  }
  clients.close();
  return sent;
}

/** For each operation a lean request, and the SDK's for the same. */
async function pairsOf(config: Partial<ClientConfig>): Promise<readonly (readonly [lean: Sent, bySdk: Sent])[]> {
  const sent = catchRequests();
  let sdk: KMSClient | undefined;
  const onKms = (opened: KMSClient) => {
    sdk = opened;
  };
  const clients = createAwsClients({ ...base, ...config }, clock, ["spire-aws-kms", "1.2.3"], { onKms });
  const kms = clients.kms as AwsKmsClient;
  await kms.describeKey(keyArn);
  const pairs: [Sent, Sent][] = [];
  const secondPage = {
    command: listKeys.command({ Limit: 1_000, Marker: "m/=" }),
    async call() {
      let pages = 0;
      for await (const _ of kms.listKeys()) if (++pages > 1) return;
    },
  };
  for (const { command, call } of [...subjects, secondPage]) {
    await call(kms);
    const lean = sent.at(-1);
    await sdk?.send(command as SignCommand);
    const bySdk = sent.at(-1);
    assert.ok(lean !== undefined && bySdk !== undefined);
    pairs.push([lean, bySdk]);
  }
  clients.close();
  return pairs;
}

/** What may differ from one request to the next. */
const changing = ["amz-sdk-invocation-id", "x-amz-date", "x-amz-content-sha256", "authorization"];

const constantPart = ({ protocol, hostname, port, path, query, headers }: Sent) => ({
  place: { protocol, hostname, port, path, query: query ?? {} },
  headers: Object.fromEntries(Object.entries(headers).filter(([name]) => !changing.includes(name))),
  names: Object.keys(headers).sort(),
});

/** That a request is signed as the SDK's own signer would sign it at that time. */
async function assertSigned(sent: Sent, credentials: ClientConfig["credentials"], region: string): Promise<void> {
  const { accessKeyId = "", secretAccessKey = "", sessionToken } = credentials ?? {};
  const identity = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
  const signer = new SignatureV4({ credentials: identity, region, service: "kms", sha256 });
  const { authorization, "x-amz-content-sha256": _, ...headers } = sent.headers;
  const date = headers["x-amz-date"] ?? "";
  const signingDate = new Date(date.replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"));
  const request = { ...sent, method: "POST", query: {}, headers, port: sent.port as number };
  assert.equal((await signer.sign(request, { signingDate })).headers.authorization, authorization);
}

const configFile = (name: string, text: string) => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};

describe("lean requests", () => {
  const { handle } = NodeHttpHandler.prototype;
  const kept = new Map<string, string | undefined>();

  beforeEach(() => {
    for (const name of Object.keys(process.env).filter((key) => key.startsWith("AWS_"))) {
      kept.set(name, process.env[name]);
      delete process.env[name];
    }
  });
  afterEach(() => {
    NodeHttpHandler.prototype.handle = handle;
    for (const name of Object.keys(process.env).filter((key) => key.startsWith("AWS_"))) delete process.env[name];
    for (const [name, value] of kept) if (value !== undefined) process.env[name] = value;
    kept.clear();
  });
  after(() => rmSync(folder, { recursive: true }));

  const token = "FwoGZXIvYXdzE+/=".repeat(40);
  const cases: readonly (readonly [title: string, Partial<ClientConfig>, Record<string, string>, place: string])[] = [
    ["a Region", {}, {}, "https://kms.us-east-2.amazonaws.com/"],
    ["FIPS", { useFipsEndpoint: true }, {}, "https://kms-fips.us-east-2.amazonaws.com/"],
    ["FIPS by the environment", {}, { AWS_USE_FIPS_ENDPOINT: "true" }, "https://kms-fips.us-east-2.amazonaws.com/"],
    ["dual-stack", { useDualstackEndpoint: true }, {}, "https://kms.us-east-2.api.aws/"],
    ["both", { useFipsEndpoint: true, useDualstackEndpoint: true }, {}, "https://kms-fips.us-east-2.api.aws/"],
    ["China", { region: "cn-north-1" }, {}, "https://kms.cn-north-1.amazonaws.com.cn/"],
    ["GovCloud", { region: "us-gov-west-1" }, {}, "https://kms.us-gov-west-1.amazonaws.com/"],
    ["an isolated partition", { region: "us-iso-east-1" }, {}, "https://kms.us-iso-east-1.c2s.ic.gov/"],
    ["a Region that no SDK knows", { region: "xx-new-9" }, {}, "https://kms.xx-new-9.amazonaws.com/"],
    ["an endpoint with a port", { endpoint: "http://127.0.0.1:4566" }, {}, "http://127.0.0.1:4566/"],
    ["an endpoint with a path", { endpoint: "https://proxy.test/a/kms-1" }, {}, "https://proxy.test/a/kms-1/"],
    ["an endpoint by IPv6", { endpoint: "http://[::1]:4566" }, {}, "http://[::1]:4566/"],
    // The SDK drops both.
    ["an endpoint with a query", { endpoint: "http://aws.test/?a=b" }, {}, "http://aws.test/"],
    ["an endpoint with a password", { endpoint: "http://me:secret@aws.test/" }, {}, "http://aws.test/"],
    ["KMS's variable", {}, { AWS_ENDPOINT_URL_KMS: "http://kms.test:1" }, "http://kms.test:1/"],
    ["the common variable", {}, { AWS_ENDPOINT_URL: "http://aws.test:2/x" }, "http://aws.test:2/x/"],
    [
      "an endpoint in shared configuration",
      {},
      { AWS_CONFIG_FILE: configFile("plain", "[default]\nendpoint_url = http://shared.test:3\n") },
      "http://shared.test:3/",
    ],
    [
      "an endpoint for KMS in shared configuration",
      {},
      {
        AWS_CONFIG_FILE: configFile(
          "services",
          "[default]\nservices = s\n\n[services s]\nkms =\n  endpoint_url = http://service.test:4\n",
        ),
      },
      "http://service.test:4/",
    ],
    [
      "variables that are to be ignored",
      {},
      { AWS_ENDPOINT_URL: "http://aws.test:2", AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: "true" },
      "https://kms.us-east-2.amazonaws.com/",
    ],
    [
      "an application's name in the user agent",
      {},
      { AWS_SDK_UA_APP_ID: "spire-in-prod" },
      "https://kms.us-east-2.amazonaws.com/",
    ],
    [
      "a session token",
      { credentials: { accessKeyId: "ASIATEST", secretAccessKey: "secret/+=", sessionToken: token } },
      {},
      "https://kms.us-east-2.amazonaws.com/",
    ],
  ];

  for (const [title, config, environment, place] of cases) {
    it(`${title}: the SDK's requests`, async () => {
      Object.assign(process.env, environment);
      const sent = await signaturesOf(config, new Array(6).fill(keyArn));
      assert.deepEqual(sent.map(isBySdk), [true, false, false, false, false, false]);
      const [bySdk] = sent;
      assert.ok(bySdk !== undefined);
      for (const lean of sent.filter((one) => !isBySdk(one))) {
        assert.deepEqual(constantPart(lean), constantPart(bySdk));
        await assertSigned(lean, config.credentials ?? base.credentials, config.region ?? base.region);
      }
      const { protocol, hostname, port, path } = bySdk;
      assert.equal(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}${path}`, place);
      assert.match(bySdk.headers["user-agent"] ?? "", / spire-aws-kms\/1\.2\.3$/);
      assert.equal(new Set(sent.map(({ headers }) => headers["amz-sdk-invocation-id"])).size, sent.length);
    });

    it(`${title}: the SDK's requests for every operation`, async () => {
      Object.assign(process.env, environment);
      const pairs = await pairsOf(config);
      assert.equal(pairs.length, 7);
      for (const [lean, bySdk] of pairs) {
        assert.deepEqual([isBySdk(lean), isBySdk(bySdk)], [false, true]);
        assert.deepEqual(constantPart(lean), constantPart(bySdk));
        assert.equal(textOf(lean.body), textOf(bySdk.body));
        await assertSigned(lean, config.credentials ?? base.credentials, config.region ?? base.region);
      }
    });
  }

  for (const [title, config] of [
    ["a path that needs normalizing", { endpoint: "http://aws.test/a//b" }],
    ["a path that needs escaping", { endpoint: "http://aws.test/a%20b" }],
    [
      "a token with two spaces in it",
      { credentials: { accessKeyId: "A", secretAccessKey: "s", sessionToken: "a  b" } },
    ],
  ] as const) {
    it(`${title}: left to the SDK`, async () => {
      const sent = await signaturesOf(config, new Array(4).fill(keyArn));
      assert.deepEqual(sent.map(isBySdk), [true, true, true, true]);
    });
  }

  it("say of key and digest what the SDK says, however odd they are", async () => {
    const odd = fc.string({ unit: "binary", minLength: 1, maxLength: 30 });
    await fc.assert(
      fc.asyncProperty(odd, async (keyId) => {
        const [, , lean] = await signaturesOf({}, [keyArn, keyArn, keyId]);
        const [bySdk] = await signaturesOf({}, [keyId]);
        assert.ok(lean !== undefined && bySdk !== undefined && !isBySdk(lean));
        const members = JSON.parse(textOf(bySdk.body));
        const digest = Buffer.from(Uint8Array.from({ length: 32 }, (_, index) => index + 2)).toString("base64");
        assert.equal(lean.body, JSON.stringify({ ...members, Message: digest }));
        assert.equal(lean.headers["content-length"], bySdk.headers["content-length"]);
        await assertSigned(lean, base.credentials, base.region);
      }),
      { seed: 20_261_122, numRuns: 40 },
    );
  });
});
