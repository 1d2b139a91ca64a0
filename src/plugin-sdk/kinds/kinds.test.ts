/** Each kind's face, met over the wire as SPIRE meets it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyManager as AgentKeyManager } from "../../gen/spire/plugin/agent/keymanager/v1/keymanager_pb.ts";
import { NodeAttestor as AgentNodeAttestor } from "../../gen/spire/plugin/agent/nodeattestor/v1/nodeattestor_pb.ts";
import { SVIDStore } from "../../gen/spire/plugin/agent/svidstore/v1/svidstore_pb.ts";
import { WorkloadAttestor } from "../../gen/spire/plugin/agent/workloadattestor/v1/workloadattestor_pb.ts";
import { BundlePublisher } from "../../gen/spire/plugin/server/bundlepublisher/v1/bundlepublisher_pb.ts";
import { CredentialComposer } from "../../gen/spire/plugin/server/credentialcomposer/v1/credentialcomposer_pb.ts";
import { HashAlgorithm, KeyManager, KeyType } from "../../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { NodeAttestor } from "../../gen/spire/plugin/server/nodeattestor/v1/nodeattestor_pb.ts";
import { Notifier } from "../../gen/spire/plugin/server/notifier/v1/notifier_pb.ts";
import { UpstreamAuthority } from "../../gen/spire/plugin/server/upstreamauthority/v1/upstreamauthority_pb.ts";
import type { ServiceClient } from "../../go-plugin/grpc/grpc-client.ts";
import type { ServiceRegistration } from "../../go-plugin/grpc/grpc-service.ts";
import { GrpcStatusError, StatusError } from "../../go-plugin/grpc/status-error.ts";
import { type BackgroundPlugin, serveInBackground } from "../serve-in-background.ts";
import { bundlePublisher } from "./bundle-publisher.ts";
import { credentialComposer } from "./credential-composer.ts";
import { agentKeyManager, type KeyManagerHandlers, keyManager, type SignRequest } from "./key-manager.ts";
import { agentId, agentNodeAttestor, serverNodeAttestor } from "./node-attestor.ts";
import { notifier } from "./notifier.ts";
import { pluginTypes, serviceNamesOfType } from "./plugin-types.ts";
import { svidStore } from "./svid-store.ts";
import { upstreamAuthority } from "./upstream-authority.ts";
import { workloadAttestor } from "./workload-attestor.ts";

async function withPlugin(services: ServiceRegistration[], act: (plugin: BackgroundPlugin) => Promise<void>) {
  const plugin = await serveInBackground({ services });
  try {
    await act(plugin);
  } finally {
    await plugin.stop();
  }
}

const bytes = (text: string): Uint8Array => Buffer.from(text);
const text = (data: Uint8Array | undefined): string => Buffer.from(data ?? []).toString();

const failing = (code: string, details: string | RegExp) => (error: unknown) =>
  error instanceof GrpcStatusError &&
  error.code === code &&
  (typeof details === "string" ? error.details === details : details.test(error.details));

async function collect<T>(values: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const value of values) all.push(value);
  return all;
}

describe("keyManager and agentKeyManager", () => {
  const requests: SignRequest[] = [];
  const key = { id: "a", type: KeyType.EC_P256, pkixData: bytes("pkix"), fingerprint: "f" };
  const handlers: KeyManagerHandlers = {
    generateKey: ({ keyId, keyType }) => ({ ...key, id: keyId, type: keyType }),
    getPublicKey: (keyId) => (keyId === "a" ? key : undefined),
    getPublicKeys: () => [key],
    signData(request) {
      requests.push(request);
      return { signature: bytes("signature"), keyFingerprint: "f" };
    },
  };

  it("serve both services with one set of handlers", () =>
    withPlugin([keyManager(handlers), agentKeyManager(handlers)], async (plugin) => {
      const agent = plugin.client(AgentKeyManager) as unknown as ServiceClient<typeof KeyManager>;
      for (const client of [plugin.client(KeyManager), agent]) {
        const { publicKey } = await client.generateKey({ keyId: "b", keyType: KeyType.EC_P384 });
        assert.equal(publicKey?.id, "b");
        assert.equal(publicKey?.type, KeyType.EC_P384);
        assert.equal((await client.getPublicKey({ keyId: "a" })).publicKey?.fingerprint, "f");
        assert.equal((await client.getPublicKeys({})).publicKeys.length, 1);
      }
    }));

  it("hand on how to sign, and say what SPIRE's suite wants to hear of what is missing", () =>
    withPlugin([keyManager(handlers)], async (plugin) => {
      const client = plugin.client(KeyManager);
      const data = bytes("digest");
      await client.signData({ keyId: "a", data, signerOpts: { case: "hashAlgorithm", value: HashAlgorithm.SHA256 } });
      const pss = { saltLength: -1, hashAlgorithm: HashAlgorithm.SHA384 };
      await client.signData({ keyId: "a", data, signerOpts: { case: "pssOptions", value: pss } });
      assert.deepEqual(
        requests.map(({ hashAlgorithm, pssSaltLength }) => [hashAlgorithm, pssSaltLength]),
        [
          [HashAlgorithm.SHA256, undefined],
          [HashAlgorithm.SHA384, -1],
        ],
      );
      await assert.rejects(client.generateKey({}), failing("INVALID_ARGUMENT", "key id is required"));
      await assert.rejects(client.generateKey({ keyId: "a" }), failing("INVALID_ARGUMENT", "key type is required"));
      await assert.rejects(client.getPublicKey({ keyId: "b" }), failing("NOT_FOUND", 'key "b" not found'));
      await assert.rejects(client.signData({ keyId: "a" }), failing("INVALID_ARGUMENT", "signer opts is required"));
    }));
});

describe("serverNodeAttestor", () => {
  const attestor = serverNodeAttestor({
    async attest(payload, { challenge, log }) {
      if (text(payload) === "stranger") throw new StatusError("PERMISSION_DENIED", "not believed");
      log.debug("attesting");
      const answers = [text(await challenge(bytes("one"))), text(await challenge(bytes("two")))];
      return {
        spiffeId: agentId("example.org", "test", text(payload)),
        selectorValues: answers,
        canReattest: true,
      };
    },
  });

  it("turns a conversation into one function", () =>
    withPlugin([attestor], async (plugin) => {
      const seen: string[] = [];
      let isOver: () => void = () => undefined;
      const over = new Promise<void>((resolve) => {
        isOver = resolve;
      });
      const answers: string[] = [];
      async function* requests() {
        yield { request: { case: "payload", value: bytes("machine") } } as const;
        for (const answer of ["1", "2"]) {
          while (seen.length < Number(answer)) await new Promise((resolve) => setImmediate(resolve));
          answers.push(answer);
          yield { request: { case: "challengeResponse", value: bytes(answer) } } as const;
        }
        await over;
      }
      for await (const { response } of plugin.client(NodeAttestor).attest(requests())) {
        if (response.case === "challenge") seen.push(text(response.value));
        if (response.case !== "agentAttributes") continue;
        isOver();
        assert.deepEqual(response.value.selectorValues, ["1", "2"]);
        assert.equal(response.value.spiffeId, "spiffe://example.org/spire/agent/test/machine");
        assert.equal(response.value.canReattest, true);
      }
      assert.deepEqual(
        [seen, answers],
        [
          ["one", "two"],
          ["1", "2"],
        ],
      );
    }));

  it("fails with the plugin's refusal, and with an agent that says nothing or leaves", () =>
    withPlugin([attestor], async (plugin) => {
      const attest = plugin.client(NodeAttestor).attest;
      const payload = (value: string) => ({ request: { case: "payload", value: bytes(value) } }) as const;
      await assert.rejects(collect(attest([payload("stranger")])), failing("PERMISSION_DENIED", "not believed"));
      await assert.rejects(collect(attest([])), failing("INVALID_ARGUMENT", "request has no attestation payload"));
      await assert.rejects(
        collect(attest([payload("machine")])),
        failing("INVALID_ARGUMENT", "the agent has not answered the challenge"),
      );
    }));
});

describe("agentNodeAttestor", () => {
  it("yields the payload unasked, then an answer for each challenge", () =>
    withPlugin(
      [
        agentNodeAttestor({
          async *aidAttestation(challenges) {
            yield bytes("payload");
            for await (const challenge of challenges) yield bytes(`answer to ${text(challenge)}`);
          },
        }),
      ],
      async (plugin) => {
        const challenges = ["a", "b"].map((challenge) => ({ challenge: bytes(challenge) }));
        const answers = await collect(plugin.client(AgentNodeAttestor).aidAttestation(challenges));
        assert.deepEqual(
          answers.map(({ data }) => [data.case, text(data.value)]),
          [
            ["payload", "payload"],
            ["challengeResponse", "answer to a"],
            ["challengeResponse", "answer to b"],
          ],
        );
      },
    ));
});

describe("upstreamAuthority", () => {
  it("streams roots until the host leaves, and tells the handler by its signal", async () => {
    let left: () => void = () => undefined;
    const hasLeft = new Promise<void>((resolve) => {
      left = resolve;
    });
    const authority = upstreamAuthority({
      async *mintX509CAAndSubscribe({ csr, preferredTtl }, { signal }) {
        signal.addEventListener("abort", () => left());
        yield { x509CaChain: [csr], upstreamX509Roots: [bytes(`root for ${preferredTtl}`)] };
        yield { upstreamX509Roots: [{ asn1: bytes("root"), tainted: true }, bytes("new root")] };
        await hasLeft;
      },
    });
    await withPlugin([authority], async (plugin) => {
      const seen: string[][] = [];
      const stream = plugin.client(UpstreamAuthority).mintX509CAAndSubscribe({ csr: bytes("csr"), preferredTtl: 60 });
      for await (const { x509CaChain, upstreamX509Roots } of stream) {
        seen.push([...x509CaChain, ...upstreamX509Roots].map(({ asn1, tainted }) => `${text(asn1)} ${tainted}`));
        if (seen.length === 2) break;
      }
      await hasLeft;
      assert.deepEqual(seen, [
        ["csr false", "root for 60 false"],
        ["root true", "new root false"],
      ]);
    });
  });

  it("does without keys for JWT-SVIDs, and says that nothing was minted", () =>
    withPlugin([upstreamAuthority({ async *mintX509CAAndSubscribe() {} })], async (plugin) => {
      const client = plugin.client(UpstreamAuthority);
      await assert.rejects(
        collect(client.publishJWTKeyAndSubscribe({ jwtKey: { keyId: "k" } })),
        failing("UNIMPLEMENTED", /PublishJWTKeyAndSubscribe is not implemented/),
      );
      await assert.rejects(
        collect(client.mintX509CAAndSubscribe({})),
        failing("INTERNAL", "the plugin minted nothing"),
      );
    }));

  it("publishes keys for JWT-SVIDs", () =>
    withPlugin(
      [
        upstreamAuthority({
          async *mintX509CAAndSubscribe() {},
          async *publishJWTKeyAndSubscribe({ keyId }) {
            yield [{ keyId }, { keyId: "other", expiresAt: 5n }];
          },
        }),
      ],
      async (plugin) => {
        const stream = plugin.client(UpstreamAuthority).publishJWTKeyAndSubscribe({ jwtKey: { keyId: "mine" } });
        const [first] = await collect(stream);
        assert.deepEqual(
          first?.upstreamJwtKeys.map(({ keyId, expiresAt }) => [keyId, expiresAt]),
          [
            ["mine", 0n],
            ["other", 5n],
          ],
        );
      },
    ));
});

describe("notifier and bundlePublisher", () => {
  const bundle = { trustDomain: "example.org", sequenceNumber: 7n };

  it("hand on bundles, and answer events that the plugin does not care for", async () => {
    const seen: string[] = [];
    const services = [
      notifier({ bundleUpdated: ({ trustDomain }) => void seen.push(`updated ${trustDomain}`) }),
      bundlePublisher({ publishBundle: ({ sequenceNumber }) => void seen.push(`published ${sequenceNumber}`) }),
    ];
    await withPlugin(services, async (plugin) => {
      await plugin.client(Notifier).notify({ event: { case: "bundleUpdated", value: { bundle } } });
      await plugin.client(Notifier).notifyAndAdvise({ event: { case: "bundleLoaded", value: { bundle } } });
      await plugin.client(Notifier).notify({});
      await plugin.client(BundlePublisher).publishBundle({ bundle });
      await assert.rejects(
        plugin.client(BundlePublisher).publishBundle({}),
        failing("INVALID_ARGUMENT", "request has no bundle"),
      );
    });
    assert.deepEqual(seen, ["updated example.org", "published 7"]);
  });

  it("fail as the plugin fails", () =>
    withPlugin(
      [
        notifier({
          bundleLoaded() {
            throw new StatusError("UNAVAILABLE", "no store");
          },
        }),
      ],
      (plugin) =>
        assert.rejects(
          plugin.client(Notifier).notifyAndAdvise({ event: { case: "bundleLoaded", value: { bundle } } }),
          failing("UNAVAILABLE", "no store"),
        ),
    ));
});

describe("credentialComposer", () => {
  it("returns what is changed, and nothing for what is not", () =>
    withPlugin(
      [
        credentialComposer({
          composeServerX509CA(attributes) {
            attributes.policyIdentifiers.push("1.2.3");
            return attributes;
          },
          composeWorkloadX509SVID: (attributes, { spiffeId }) => ({ ...attributes, dnsSans: [spiffeId.slice(9)] }),
          composeWorkloadJWTSVID: (claims, { spiffeId }) => ({ ...claims, extra: { who: spiffeId, list: [1, null] } }),
          composeAgentX509SVID: () => undefined,
        }),
      ],
      async (plugin) => {
        const client = plugin.client(CredentialComposer);
        const { attributes: ca } = await client.composeServerX509CA({ attributes: { policyIdentifiers: ["1.1"] } });
        assert.deepEqual(ca?.policyIdentifiers, ["1.1", "1.2.3"]);
        const request = { attributes: { subject: { commonName: "x" } }, spiffeId: "spiffe://a/b" };
        const { attributes: svid } = await client.composeWorkloadX509SVID(request);
        assert.deepEqual([svid?.dnsSans, svid?.subject?.commonName], [["a/b"], "x"]);
        const { attributes: token } = await client.composeWorkloadJWTSVID({
          attributes: { claims: { aud: ["c"], exp: 1_700_000_000 } },
          spiffeId: "spiffe://a/b",
        });
        assert.deepEqual(token?.claims, {
          aud: ["c"],
          exp: 1_700_000_000,
          extra: { who: "spiffe://a/b", list: [1, null] },
        });
        assert.equal((await client.composeAgentX509SVID(request)).attributes, undefined);
        await assert.rejects(client.composeServerX509SVID(request), failing("UNIMPLEMENTED", /not implemented/));
      },
    ));
});

describe("workloadAttestor and svidStore", () => {
  it("hand on what there is to do", async () => {
    const seen: unknown[] = [];
    const services = [
      workloadAttestor({ attest: (pid) => [`pid:${pid}`] }),
      svidStore({
        putX509SVID: ({ svid, metadata, federatedBundles }) =>
          void seen.push([svid.spiffeID, metadata, Object.keys(federatedBundles)]),
        deleteX509SVID: (metadata) => void seen.push(metadata),
      }),
    ];
    await withPlugin(services, async (plugin) => {
      assert.deepEqual((await plugin.client(WorkloadAttestor).attest({ pid: 7 })).selectorValues, ["pid:7"]);
      await assert.rejects(
        plugin.client(WorkloadAttestor).attest({}),
        failing("INVALID_ARGUMENT", "request has no process id: 0"),
      );
      await plugin.client(SVIDStore).putX509SVID({
        svid: { spiffeID: "spiffe://a/b" },
        metadata: ["name:x"],
        federatedBundles: { "b.org": bytes("der") },
      });
      await plugin.client(SVIDStore).deleteX509SVID({ metadata: ["name:x"] });
      await assert.rejects(
        plugin.client(SVIDStore).putX509SVID({}),
        failing("INVALID_ARGUMENT", "request has no svid"),
      );
    });
    assert.deepEqual(seen, [["spiffe://a/b", ["name:x"], ["b.org"]], ["name:x"]]);
  });
});

describe("the types of plugins", () => {
  it("name the services that there are", () => {
    const services = [
      BundlePublisher,
      CredentialComposer,
      KeyManager,
      AgentKeyManager,
      NodeAttestor,
      AgentNodeAttestor,
      Notifier,
      SVIDStore,
      UpstreamAuthority,
      WorkloadAttestor,
    ];
    assert.deepEqual(
      pluginTypes.flatMap((type) => serviceNamesOfType[type]),
      services.map(({ typeName }) => typeName),
    );
    for (const type of pluginTypes) assert.ok(serviceNamesOfType[type].every((name) => name.endsWith(`.${type}`)));
  });
});
