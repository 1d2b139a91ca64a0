/** Projects of plugins for SPIRE Server. */
import type { Template } from "./template.ts";
import { importLine, pluginText, testText } from "./text.ts";

const program = "SPIRE Server";

const upstreamAuthority: Template = {
  type: "UpstreamAuthority",
  program,
  description: "Has SPIRE Server's CA signed by an authority that answers over HTTP.",
  pluginData: 'url = "http://127.0.0.1:9/sign"\n',
  plugin: pluginText({
    imports: ["StatusError", "upstreamAuthority"],
    settings: ["/** Takes a CSR in DER; answers with base64 of certificates. */", "url: v.pipe(v.string(), v.url()),"],
    before: `
const answerSchema = v.object({ chain: v.array(v.string()), roots: v.array(v.string()) });

const toDer = (base64: string): Buffer => Buffer.from(base64, "base64");
`,
    service: `
upstreamAuthority({
  async *mintX509CAAndSubscribe({ csr }, { signal }) {
    const { url } = config.current.settings;
    const response = await fetch(url, { method: "POST", body: Buffer.from(csr), signal });
    if (!response.ok) throw new StatusError("UNAVAILABLE", \`\${url} answers \${response.status}\`);
    const { chain, roots } = v.parse(answerSchema, await response.json());
    yield { x509CaChain: chain.map(toDer), upstreamX509Roots: roots.map(toDer) };
    // Yield { upstreamX509Roots } again whenever the roots change, until "signal" is aborted.
  },
})`,
  }),
  test: testText({
    imports: ["UpstreamAuthority"],
    pluginData: 'url = "http://127.0.0.1:1/"',
    does: "passes on chain and roots",
    calls: `
const server = createServer((_request, response) => {
  const text = (value: string) => Buffer.from(value).toString("base64");
  response.end(JSON.stringify({ chain: [text("ca")], roots: [text("root")] }));
});
await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
const { port } = server.address() as AddressInfo;
try {
  await plugin.configure(\`url = "http://127.0.0.1:\${port}/"\`);
  const seen: string[] = [];
  for await (const minted of plugin.client(UpstreamAuthority).mintX509CAAndSubscribe({ csr: Buffer.from("csr") })) {
    seen.push(...[...minted.x509CaChain, ...minted.upstreamX509Roots].map(({ asn1 }) => Buffer.from(asn1).toString()));
  }
  assert.deepEqual(seen, ["ca", "root"]);
} finally {
  server.close();
}`,
  }).replace(
    "import { after, it }",
    'import { createServer } from "node:http";\nimport type { AddressInfo } from "node:net";\nimport { after, it }',
  ),
};

const nodeAttestor: Template = {
  type: "NodeAttestor",
  program,
  description: "Believes agents that know a token.",
  pluginData: 'token = "example"\n',
  plugin: pluginText({
    imports: ["agentId", "serverNodeAttestor", "StatusError"],
    settings: ["/** What is shared with the half in SPIRE Agent. */", "token: v.pipe(v.string(), v.minLength(1)),"],
    before: 'import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";\n',
    service: `
serverNodeAttestor({
  async attest(payload, { challenge }) {
    const { settings, trustDomain } = config.current;
    const machine = Buffer.from(payload).toString();
    if (!/^[\\w.-]+$/.test(machine)) throw new StatusError("INVALID_ARGUMENT", "the payload is no name of a machine");
    const nonce = randomBytes(32);
    const answer = await challenge(nonce);
    const wanted = createHmac("sha256", settings.token).update(nonce).digest();
    if (answer.length !== wanted.length || !timingSafeEqual(answer, wanted)) {
      throw new StatusError("PERMISSION_DENIED", "the agent does not know the token");
    }
    // The plugin's name in SPIRE's configuration.
    return { spiffeId: agentId(trustDomain, "token", machine), selectorValues: [\`machine:\${machine}\`], canReattest: true };
  },
})`,
  }),
  test: testText({
    imports: ["ServerNodeAttestor"],
    pluginData: 'token = "example"',
    does: "does not believe an agent without the token",
    calls: `
const requests = [
  { request: { case: "payload", value: Buffer.from("machine-1") } },
  { request: { case: "challengeResponse", value: Buffer.from("a guess") } },
] as const;
const answers = plugin.client(ServerNodeAttestor).attest(requests);
await assert.rejects(async () => {
  for await (const { response } of answers) assert.equal(response.case, "challenge");
}, /does not know the token/);`,
  }),
};

const notifier: Template = {
  type: "Notifier",
  program,
  description: "Logs what becomes of the trust bundle.",
  pluginData: "# this plugin needs no settings yet\n",
  plugin: pluginText({
    imports: ["notifier"],
    settings: ["// url: v.string(),"],
    service: `
notifier({
  bundleLoaded({ trustDomain }, { log }) {
    log.info("the server has its bundle", { trust_domain: trustDomain });
  },
  bundleUpdated({ trustDomain, x509Authorities }, { log }) {
    log.info("the bundle has changed", { trust_domain: trustDomain, authorities: x509Authorities.length });
  },
})`,
  }),
  test: testText({
    imports: ["Notifier"],
    pluginData: "",
    does: "logs a bundle that has changed",
    calls: `
const bundle = { trustDomain: "example.org" };
await plugin.client(Notifier).notify({ event: { case: "bundleUpdated", value: { bundle } } });
await plugin.client(Notifier).notifyAndAdvise({ event: { case: "bundleLoaded", value: { bundle } } });
assert.ok(host.log.some(({ message }) => message === "the bundle has changed"));`,
  }),
};

const bundlePublisher: Template = {
  type: "BundlePublisher",
  program,
  description: "Writes the trust bundle into a file, as PEM.",
  pluginData: 'file = "/tmp/bundle.pem"\n',
  plugin: pluginText({
    imports: ["bundlePublisher"],
    settings: ["file: v.pipe(v.string(), v.minLength(1)),"],
    before: `${importLine("{ X509Certificate }", "node:crypto")}
${importLine("{ rename, writeFile }", "node:fs/promises")}
`,
    service: `
bundlePublisher({
  async publishBundle({ x509Authorities }, { log }) {
    const { file } = config.current.settings;
    const certificates = x509Authorities.map(({ asn1 }) => new X509Certificate(asn1).toString());
    await writeFile(\`\${file}.new\`, certificates.join(""));
    await rename(\`\${file}.new\`, file);
    log.info("bundle written", { file, authorities: certificates.length });
  },
})`,
  }),
  test: testText({
    imports: ["BundlePublisher"],
    pluginData: 'file = "dist/bundle.pem"',
    does: "writes the bundle",
    calls: `
await plugin.client(BundlePublisher).publishBundle({ bundle: { trustDomain: "example.org" } });
assert.equal(readFileSync("dist/bundle.pem", "utf8"), "");
const odd = { x509Authorities: [{ asn1: Buffer.from("no certificate") }] };
await assert.rejects(plugin.client(BundlePublisher).publishBundle({ bundle: odd }));`,
  }).replace("import { after, it }", 'import { readFileSync } from "node:fs";\nimport { after, it }'),
};

const credentialComposer: Template = {
  type: "CredentialComposer",
  program,
  description: "Puts a claim into each JWT-SVID.",
  pluginData: 'issuer = "https://issuer.example.org"\n',
  plugin: pluginText({
    imports: ["credentialComposer"],
    settings: ["issuer: v.pipe(v.string(), v.url()),"],
    service: `
credentialComposer({
  composeWorkloadJWTSVID: (claims) => ({ ...claims, iss: config.current.settings.issuer }),
})`,
  }),
  test: testText({
    imports: ["CredentialComposer"],
    pluginData: 'issuer = "https://issuer.example.org"',
    does: "adds the claim and keeps the others",
    calls: `
const { attributes } = await plugin.client(CredentialComposer).composeWorkloadJWTSVID({
  attributes: { claims: { sub: "spiffe://example.org/web" } },
  spiffeId: "spiffe://example.org/web",
});
assert.deepEqual(attributes?.claims, { sub: "spiffe://example.org/web", iss: "https://issuer.example.org" });`,
  }),
};

export const serverKinds: Readonly<Record<string, Template>> = {
  "upstream-authority": upstreamAuthority,
  "server-node-attestor": nodeAttestor,
  notifier,
  "bundle-publisher": bundlePublisher,
  "credential-composer": credentialComposer,
};
