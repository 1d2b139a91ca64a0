/** Which endpoint and Region each client of AWS gets, by configuration and environment. */
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import { sleeplessClock } from "../../test/simulation/virtual-time.ts";
import { type ClientConfig, createAwsClients } from "./clients.ts";

const clock = sleeplessClock({ now: () => new Date() });

const base: ClientConfig = {
  region: "us-east-2",
  credentials: { accessKeyId: "AKIATEST", secretAccessKey: "secret", sessionToken: undefined },
  profile: undefined,
  assumeRole: undefined,
  useFipsEndpoint: undefined,
  useDualstackEndpoint: undefined,
  signTransport: "own",
  hedgeSignatures: true,
  endpoint: undefined,
  stsEndpoint: undefined,
};

/** Where a configuration's requests go; no request gets there. */
async function hostsOf(config: Partial<ClientConfig>) {
  const hosts: string[] = [];
  NodeHttpHandler.prototype.handle = async ({ protocol, hostname, port }) => {
    hosts.push(`${protocol}//${hostname}${port === undefined ? "" : `:${port}`}`);
    throw Object.assign(new Error("not sent"), { name: "ValidationException", $fault: "client" });
  };
  const clients = createAwsClients({ ...base, ...config }, clock, ["test", "1"]);
  const ask = async (call: Promise<unknown>) => {
    hosts.length = 0;
    await assert.rejects(call, /not sent/);
    return hosts[0];
  };
  const kms = await ask(clients.kms.describeKey("k"));
  const sts = await ask(clients.sts.getCallerIdentity());
  const [first] = [clients.tagging.getResources([])[Symbol.asyncIterator]()];
  const tagging = await ask(first.next());
  clients.close();
  return { kms, sts, tagging };
}

const all = (suffix: string, prefix = "") => ({
  kms: `https://kms${prefix}.${suffix}`,
  sts: `https://sts${prefix}.${suffix}`,
  tagging: `https://tagging${prefix}.${suffix}`,
});

describe("endpoints", () => {
  const { handle } = NodeHttpHandler.prototype;
  const names = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_KMS", "AWS_USE_FIPS_ENDPOINT", "AWS_USE_DUALSTACK_ENDPOINT"];
  const kept = new Map<string, string | undefined>();

  beforeEach(() => {
    for (const name of names) {
      kept.set(name, process.env[name]);
      delete process.env[name];
    }
  });
  afterEach(() => {
    NodeHttpHandler.prototype.handle = handle;
    for (const [name, value] of kept) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  });

  const cases: readonly (readonly [title: string, config: Partial<ClientConfig>, hosts: ReturnType<typeof all>])[] = [
    ["a Region", {}, all("us-east-2.amazonaws.com")],
    ["FIPS", { useFipsEndpoint: true }, all("us-east-2.amazonaws.com", "-fips")],
    ["dual-stack", { useDualstackEndpoint: true }, all("us-east-2.api.aws")],
    ["both", { useFipsEndpoint: true, useDualstackEndpoint: true }, all("us-east-2.api.aws", "-fips")],
    ["China", { region: "cn-north-1" }, all("cn-north-1.amazonaws.com.cn")],
    [
      "China, dual-stack",
      { region: "cn-northwest-1", useDualstackEndpoint: true },
      all("cn-northwest-1.api.amazonwebservices.com.cn"),
    ],
    ["GovCloud", { region: "us-gov-west-1" }, all("us-gov-west-1.amazonaws.com")],
    [
      "GovCloud, FIPS: its STS is FIPS by itself",
      { region: "us-gov-east-1", useFipsEndpoint: true },
      { ...all("us-gov-east-1.amazonaws.com", "-fips"), sts: "https://sts.us-gov-east-1.amazonaws.com" },
    ],
    ["an isolated partition", { region: "us-iso-east-1" }, all("us-iso-east-1.c2s.ic.gov")],
    [
      "endpoints of one's own, for KMS and STS",
      { endpoint: "http://127.0.0.1:4566", stsEndpoint: "https://sts.internal" },
      { ...all("us-east-2.amazonaws.com"), kms: "http://127.0.0.1:4566", sts: "https://sts.internal" },
    ],
  ];

  for (const [title, config, hosts] of cases) {
    it(title, async () => assert.deepEqual(await hostsOf(config), hosts));
  }

  it("the environment's endpoint, unless the configuration has one", async () => {
    process.env.AWS_ENDPOINT_URL_KMS = "http://localhost:9";
    assert.equal((await hostsOf({})).kms, "http://localhost:9");
    assert.equal((await hostsOf({ endpoint: "http://localhost:8" })).kms, "http://localhost:8");
  });
});
