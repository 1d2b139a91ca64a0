/** GetRole against the emulator's IAM, against things that are not IAM, and where it must not be asked. */
import assert from "node:assert/strict";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, beforeEach, describe, it, type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Clock, KmsError } from "../key-manager/ports.ts";
import { type Emulator, type EmulatorOptions, startEmulator } from "../kms-emulator/index.ts";
import { type ClientConfig, createAwsClients } from "./clients.ts";

const clock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  sleep: async (ms, signal) => sleep(ms, undefined, { signal }),
  random: () => 0,
};

const credentials = {
  accessKeyId: "ASIASPIRESESSION0001",
  secretAccessKey: "Never/Shown+Secret0Access1Key2OfTheTests3",
  sessionToken: "Never/Shown+Session0Token1OfTheTests",
};
const role = { partition: "aws", account: "111122223333", roleName: "spire-server" };
const roleArn = "arn:aws:iam::111122223333:role/infra/prod/spire-server";
const sessionArn = "arn:aws:sts::111122223333:assumed-role/spire-server/i-0abc";

const base: ClientConfig = {
  region: "eu-west-1",
  credentials,
  profile: undefined,
  assumeRole: undefined,
  useFipsEndpoint: undefined,
  useDualstackEndpoint: undefined,
  signTransport: "own",
  hedgeSignatures: true,
  endpoint: undefined,
  stsEndpoint: undefined,
};

const variables = [
  "AWS_CONFIG_FILE",
  "AWS_ENDPOINT_URL",
  "AWS_ENDPOINT_URL_IAM",
  "AWS_ENDPOINT_URL_KMS",
  "AWS_ENDPOINT_URL_STS",
  "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS",
  "AWS_ROLE_ARN",
  "AWS_USE_DUALSTACK_ENDPOINT",
  "AWS_USE_FIPS_ENDPOINT",
];
const kept = new Map<string, string | undefined>();
const put = (name: string, value: string | undefined) => {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
};

beforeEach(() => {
  for (const name of variables) {
    kept.set(name, process.env[name]);
    delete process.env[name];
  }
  process.env.AWS_CONFIG_FILE = "/dev/null";
});
afterEach(() => {
  for (const [name, value] of kept) put(name, value);
});

function clientFor(t: TestContext, config: Partial<ClientConfig> = {}, time: Clock = clock) {
  const clients = createAwsClients({ ...base, ...config }, time, ["test", "1"]);
  t.after(() => clients.close());
  return clients.iam;
}

/** An emulator that environment variables point to. */
async function emulator(t: TestContext, options: EmulatorOptions): Promise<Emulator> {
  const started = await startEmulator({ verifySignatures: true, authorize: true, ...options });
  t.after(() => started.close());
  process.env.AWS_ENDPOINT_URL = started.endpoint;
  return started;
}

const identity = { ...credentials, arn: sessionArn, roleArn };
const gets = ({ control }: Emulator) => control.journal().filter(({ operation }) => operation === "GetRole");

describe("GetRole, of an emulator that verifies signatures and evaluates permissions", () => {
  it("tells the ARN with the path, in one call", async (t) => {
    const iam = await emulator(t, { identities: [identity] });
    assert.equal(await clientFor(t).getRoleArn(role), roleArn);
    const [call, ...more] = gets(iam);
    assert.deepEqual(more, []);
    assert.deepEqual(call?.input, { RoleName: "spire-server" });
    assert.equal(call.caller.arn, sessionArn);
  });

  it("takes every character that a role's name may have", async (t) => {
    const roleName = "a+b=c,d.e@f-g_H1";
    const odd = { ...credentials, arn: sessionArn.replace("spire-server", roleName) };
    await emulator(t, { identities: [{ ...odd, roleArn: `arn:aws:iam::111122223333:role/x/${roleName}` }] });
    assert.equal(await clientFor(t).getRoleArn({ ...role, roleName }), `arn:aws:iam::111122223333:role/x/${roleName}`);
  });

  const failures: readonly (readonly [
    title: string,
    code: string,
    awsName: string,
    message: RegExp,
    change: object,
  ])[] = [
    [
      "a denial",
      "ACCESS_DENIED",
      "AccessDenied",
      /not authorized to perform: iam:GetRole on resource: arn/,
      { policies: [] },
    ],
    ["a wrong secret", "UNAUTHENTICATED", "SignatureDoesNotMatch", /./, { secretAccessKey: "another" }],
  ];
  for (const [title, code, awsName, message, change] of failures) {
    it(`tells ${title} as it is, after one call`, async (t) => {
      const { control } = await emulator(t, { identities: [{ ...identity, ...change }] });
      const failed = clientFor(t).getRoleArn(role);
      await assert.rejects(failed, (error: KmsError) => {
        assert.deepEqual(
          [error.name, error.code, error.awsName, error.operation],
          ["KmsError", code, awsName, "GetRole"],
        );
        assert.match(error.message, message);
        assert.ok(!JSON.stringify([error, error.message]).includes(credentials.secretAccessKey));
        assert.ok(!error.message.includes(credentials.sessionToken));
        return true;
      });
      assert.ok(control.journal().length <= 1, "refusals are not tried again");
    });
  }

  it("tells that there is no such role", async (t) => {
    await emulator(t, { identities: [identity] });
    const absent = clientFor(t).getRoleArn({ ...role, roleName: "other" });
    await assert.rejects(absent, {
      code: "INVALID_REQUEST",
      awsName: "NoSuchEntity",
      message: /other cannot be found/,
    });
  });

  it("overcomes throttling", async (t) => {
    const iam = await emulator(t, { identities: [identity] });
    iam.control.addFault({ kind: "error", name: "Throttling", operation: "GetRole", times: 2 });
    assert.equal(await clientFor(t).getRoleArn(role), roleArn);
    assert.equal(gets(iam).length, 3);
  });

  it("learns the time from IAM when this machine's clock is wrong", async (t) => {
    const iam = await emulator(t, { identities: [identity] });
    iam.control.advance(20 * 60_000);
    assert.equal(await clientFor(t).getRoleArn(role), roleArn);
  });

  it("gives up after three seconds", async (t) => {
    const iam = await emulator(t, { identities: [identity] });
    const held = iam.control.pause({ operation: "GetRole", when: "before" });
    t.after(() => held.release());
    const limits: number[] = [];
    const time: Clock = {
      ...clock,
      sleep: async (ms) => {
        limits.push(ms);
        await held.reached;
      },
    };
    const late = clientFor(t, {}, time).getRoleArn(role);
    await assert.rejects(late, { code: "TIMEOUT", operation: "GetRole", message: "no answer within 3 s" });
    assert.deepEqual(limits, [3000]);
  });
});

describe("something that is not IAM", () => {
  const page = (status: number, body: string, headers = {}): RequestListener => {
    return (request, response) => {
      request.resume();
      response.writeHead(status, headers).end(body);
    };
  };
  const xml = (members: string) => `<GetRoleResponse><GetRoleResult>${members}</GetRoleResult></GetRoleResponse>`;

  for (const [title, listener] of [
    ["an empty answer", page(200, "")],
    ["HTML", page(200, "<html><body>hello</body></html>")],
    ["no XML at all", page(200, "{}")],
    ["an answer without a role", page(200, xml(""))],
    ["a role without an ARN", page(200, xml("<Role><Path>/a/</Path></Role>"))],
    ["a role that is text", page(200, xml("<Role>x</Role>"))],
    ["an ARN that is a structure", page(200, xml("<Role><Arn><x>1</x></Arn></Role>"))],
    ["two ARNs", page(200, xml("<Role><Arn>a</Arn><Arn>b</Arn></Role>"))],
    ["a server error", page(500, "<html>")],
    ["not found", page(404, "no")],
    ["a redirect", page(302, "", { Location: "http://127.0.0.1:9/" })],
    ["a cut connection", ((request) => request.socket.destroy()) satisfies RequestListener],
  ] as const) {
    it(`is refused: ${title}`, async (t) => {
      const server = createServer(listener);
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      t.after(() => {
        server.closeAllConnections();
        server.close();
      });
      process.env.AWS_ENDPOINT_URL_IAM = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
      await assert.rejects(clientFor(t).getRoleArn(role), { name: "KmsError", operation: "GetRole" });
    });
  }
});

describe("whom GetRole asks", () => {
  const { handle } = NodeHttpHandler.prototype;
  afterEach(() => {
    NodeHttpHandler.prototype.handle = handle;
  });

  /** Where the request goes and which Region its signature is for; no request gets there. Undefined: no IAM is asked. */
  async function asked(t: TestContext, config: Partial<ClientConfig> = {}, partition = "aws") {
    let seen: readonly [url: string, signingRegion: string | undefined] | undefined;
    NodeHttpHandler.prototype.handle = async ({ protocol, hostname, port, headers }) => {
      const scope = /Credential=[^/]+\/\d{8}\/([^/]+)\/iam\/aws4_request/.exec(headers.authorization ?? "");
      seen = [`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`, scope?.[1]];
      throw Object.assign(new Error("not sent"), {
        name: "ValidationError",
        $fault: "client",
        $metadata: { httpStatusCode: 400 },
      });
    };
    const answer = clientFor(t, config).getRoleArn({ ...role, partition });
    if ((await answer.catch(() => "asked")) === undefined) return undefined;
    await assert.rejects(answer, /not sent/);
    return seen;
  }

  const aws: readonly (readonly [
    title: string,
    config: Partial<ClientConfig>,
    partition: string,
    url: string,
    region: string,
  ])[] = [
    ["any Region of aws", {}, "aws", "https://iam.amazonaws.com", "us-east-1"],
    ["FIPS", { useFipsEndpoint: true }, "aws", "https://iam-fips.amazonaws.com", "us-east-1"],
    ["dual-stack", { useDualstackEndpoint: true }, "aws", "https://iam.global.api.aws", "us-east-1"],
    [
      "both",
      { useFipsEndpoint: true, useDualstackEndpoint: true },
      "aws",
      "https://iam-fips.global.api.aws",
      "us-east-1",
    ],
    ["China", { region: "cn-northwest-1" }, "aws-cn", "https://iam.cn-north-1.amazonaws.com.cn", "cn-north-1"],
    ["GovCloud", { region: "us-gov-east-1" }, "aws-us-gov", "https://iam.us-gov.amazonaws.com", "us-gov-west-1"],
    [
      "GovCloud, FIPS",
      { region: "us-gov-east-1", useFipsEndpoint: true },
      "aws-us-gov",
      "https://iam.us-gov.amazonaws.com",
      "us-gov-west-1",
    ],
  ];
  for (const [title, config, partition, url, region] of aws) {
    it(title, async (t) => assert.deepEqual(await asked(t, config, partition), [url, region]));
  }

  it("FIPS by the environment", async (t) => {
    process.env.AWS_USE_FIPS_ENDPOINT = "true";
    assert.deepEqual(await asked(t), ["https://iam-fips.amazonaws.com", "us-east-1"]);
  });

  it("none in a partition whose IAM we do not know, unless the environment has one", async (t) => {
    assert.equal(await asked(t, { region: "us-iso-east-1" }, "aws-iso"), undefined);
    assert.equal(await asked(t, {}, "constructor"), undefined);
    process.env.AWS_ENDPOINT_URL_IAM = "http://localhost:9";
    assert.deepEqual(await asked(t, { region: "us-iso-east-1" }, "aws-iso"), ["http://localhost:9", "us-iso-east-1"]);
  });

  for (const [title, config, env] of [
    ["KMS's endpoint is configured", { endpoint: "http://127.0.0.1:4566" }, {}],
    ["STS's endpoint is configured", { stsEndpoint: "http://127.0.0.1:4566" }, {}],
    ["KMS's endpoint is in the environment", {}, { AWS_ENDPOINT_URL_KMS: "http://127.0.0.1:4566" }],
    ["STS's endpoint is in the environment", {}, { AWS_ENDPOINT_URL_STS: "http://127.0.0.1:4566" }],
  ] as const) {
    it(`never AWS's when ${title}`, async (t) => {
      for (const [name, value] of Object.entries(env)) put(name, value);
      assert.equal(await asked(t, config), undefined);
      process.env.AWS_ENDPOINT_URL = "http://localhost:8";
      assert.deepEqual(await asked(t, config), ["http://localhost:8", "eu-west-1"]);
      process.env.AWS_ENDPOINT_URL_IAM = "http://localhost:9";
      assert.deepEqual(await asked(t, config), ["http://localhost:9", "eu-west-1"]);
      process.env.AWS_IGNORE_CONFIGURED_ENDPOINT_URLS = "true";
      const isPrivate = Object.keys(config).length > 0;
      assert.deepEqual(await asked(t, config), isPrivate ? undefined : ["https://iam.amazonaws.com", "us-east-1"]);
    });
  }

  it("none when the environment names the role in full, as it does for web identities", async (t) => {
    process.env.AWS_ROLE_ARN = roleArn;
    assert.equal(await clientFor(t, { endpoint: "http://127.0.0.1:9" }).getRoleArn(role), roleArn);
    process.env.AWS_ROLE_ARN = roleArn.replace("spire-server", "other-spire-server");
    assert.deepEqual(await asked(t), ["https://iam.amazonaws.com", "us-east-1"], "that is another role");
    process.env.AWS_ROLE_ARN = roleArn.replace("111122223333", "444455556666");
    assert.deepEqual(await asked(t), ["https://iam.amazonaws.com", "us-east-1"], "that is another account's");
  });
});
