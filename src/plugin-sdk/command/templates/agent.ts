/** Projects of plugins for SPIRE Agent. */
import type { Template } from "./template.ts";
import { importLine, pluginText, testText } from "./text.ts";

const program = "SPIRE Agent";

const workloadAttestor: Template = {
  type: "WorkloadAttestor",
  program,
  description: "Tells SPIRE Agent the parent of a process.",
  pluginData: 'proc_path = "/proc"\n',
  plugin: pluginText({
    imports: ["workloadAttestor"],
    settings: ["/** Where the kernel shows its processes. */", 'proc_path: v.optional(v.string(), "/proc"),'],
    before: 'import { readFile } from "node:fs/promises";\n',
    service: `
workloadAttestor({
  async attest(pid, { log, signal }) {
    const { proc_path } = config.current.settings;
    const status = await readFile(\`\${proc_path}/\${pid}/status\`, { encoding: "utf8", signal });
    const parent = /^PPid:\\s+(\\d+)$/m.exec(status)?.[1];
    log.debug("attested", { pid, parent });
    // SPIRE puts the plugin's name before each value.
    return parent === undefined ? [] : [\`parent:\${parent}\`];
  },
})`,
  }),
  test: testText({
    imports: ["WorkloadAttestor"],
    pluginData: 'proc_path = "/proc"',
    does: "tells the parent of a process",
    calls: `
const { selectorValues } = await plugin.client(WorkloadAttestor).attest({ pid: process.pid });
assert.deepEqual(selectorValues, [\`parent:\${process.ppid}\`]);`,
  }),
};

const nodeAttestor: Template = {
  type: "NodeAttestor",
  program,
  description: "Proves to SPIRE Server what machine the agent runs on, by a token.",
  pluginData: 'token = "example"\n',
  plugin: pluginText({
    imports: ["agentNodeAttestor"],
    settings: ["/** What is shared with the half in SPIRE Server. */", "token: v.pipe(v.string(), v.minLength(1)),"],
    before: 'import { createHmac } from "node:crypto";\nimport { hostname } from "node:os";\n',
    service: `
agentNodeAttestor({
  async *aidAttestation(challenges) {
    const { token } = config.current.settings;
    // The payload first, then an answer for each challenge of the server's half.
    yield Buffer.from(hostname());
    for await (const challenge of challenges) yield createHmac("sha256", token).update(challenge).digest();
  },
})`,
  }),
  test: testText({
    imports: ["AgentNodeAttestor"],
    pluginData: 'token = "example"',
    does: "yields the payload, and an answer for each challenge",
    calls: `
const challenges = [{ challenge: Buffer.from("a") }, { challenge: Buffer.from("b") }];
const cases: (string | undefined)[] = [];
for await (const { data } of plugin.client(AgentNodeAttestor).aidAttestation(challenges)) cases.push(data.case);
assert.deepEqual(cases, ["payload", "challengeResponse", "challengeResponse"]);`,
  }),
};

const svidStore: Template = {
  type: "SVIDStore",
  program,
  description: "Puts X509-SVIDs into files.",
  pluginData: 'folder = "/tmp"\n',
  plugin: pluginText({
    imports: ["StatusError", "svidStore"],
    settings: ["/** Where the files go. */", "folder: v.pipe(v.string(), v.minLength(1)),"],
    before: `${importLine("{ rename, rm, writeFile }", "node:fs/promises")}
${importLine("path", "node:path")}

/** The selector \`name:web\` of a registration entry says where its SVID goes. */
function nameIn(metadata: readonly string[]): string {
  const name = metadata.find((value) => value.startsWith("name:"))?.slice(5) ?? "";
  if (!/^[\\w-]+$/.test(name)) throw new StatusError("INVALID_ARGUMENT", "the entry needs a selector name:<letters>");
  return name;
}

const pem = (label: string, der: Uint8Array): string =>
  \`-----BEGIN \${label}-----\\n\${Buffer.from(der).toString("base64").replaceAll(/.{64}/g, "$&\\n").trimEnd()}\\n-----END \${label}-----\\n\`;
`,
    service: `
svidStore({
  async putX509SVID({ svid, metadata }) {
    const file = path.join(config.current.settings.folder, \`\${nameIn(metadata)}.pem\`);
    const certificates = svid.certChain.map((der) => pem("CERTIFICATE", der));
    await writeFile(\`\${file}.new\`, [...certificates, pem("PRIVATE KEY", svid.privateKey)].join(""), { mode: 0o600 });
    await rename(\`\${file}.new\`, file);
  },
  async deleteX509SVID(metadata) {
    await rm(path.join(config.current.settings.folder, \`\${nameIn(metadata)}.pem\`), { force: true });
  },
})`,
  }),
  test: testText({
    imports: ["SVIDStore"],
    pluginData: 'folder = "dist"',
    does: "writes and deletes a file",
    calls: `
const client = plugin.client(SVIDStore);
const svid = { spiffeID: "spiffe://example.org/web", certChain: [Buffer.from("leaf")], privateKey: Buffer.from("key") };
await client.putX509SVID({ svid, metadata: ["name:web"] });
assert.match(readFileSync("dist/web.pem", "utf8"), /BEGIN CERTIFICATE[^]*BEGIN PRIVATE KEY/);
await client.deleteX509SVID({ metadata: ["name:web"] });
assert.equal(existsSync("dist/web.pem"), false);
await assert.rejects(client.putX509SVID({ svid, metadata: [] }), /needs a selector/);`,
  }).replace("import { after, it }", 'import { existsSync, readFileSync } from "node:fs";\nimport { after, it }'),
};

export const agentKinds: Readonly<Record<string, Template>> = {
  "workload-attestor": workloadAttestor,
  "agent-node-attestor": nodeAttestor,
  "svid-store": svidStore,
};
