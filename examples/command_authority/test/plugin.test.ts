/** The plugin in this process, over a real socket, with openssl as the CA above. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { chmodSync, copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import path from "node:path";
import { after, it } from "node:test";
import { UpstreamAuthority } from "spire-plugin-sdk";
import { createTestHost, deadlineDrill } from "spire-plugin-sdk/testing";
import { createPlugin } from "../src/plugin.ts";

const host = createTestHost();
const folder = mkdtempSync(path.join(tmpdir(), "authority-"));
after(async () => {
  await host.stop();
  rmSync(folder, { recursive: true, force: true });
});

const skip = spawnSync("openssl", ["version"]).status === 0 ? false : "there is no openssl here";

const openssl = (...args: string[]) =>
  execFileSync("openssl", args, { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });

function makeCa(name: string): void {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-x509",
    ...curve,
    "-subj",
    `/CN=${name}`,
    "-days",
    "2",
    "-keyout",
    `${name}.key`,
    "-out",
    `${name}.pem`,
  );
}

function script(name: string, text: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, `#!/bin/sh\n${text}\n`);
  chmodSync(file, 0o755);
  return file;
}

async function load(command: string) {
  const plugin = await host.load(createPlugin());
  const roots = path.join(folder, "roots.pem");
  await plugin.configure(
    `command = "${command}"\nargs = ["an argument"]\nroots_file = "${roots}"\nroots_interval = 0.05`,
  );
  return plugin.client(UpstreamAuthority);
}

it("mints a CA that the root has signed, and tells when the roots change", { skip }, async () => {
  makeCa("root");
  makeCa("root2");
  copyFileSync(path.join(folder, "root.pem"), path.join(folder, "roots.pem"));
  writeFileSync(path.join(folder, "ca.ext"), "basicConstraints=critical,CA:TRUE\nkeyUsage=keyCertSign\n");
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  openssl(
    "req",
    "-new",
    ...curve,
    "-subj",
    "/CN=SPIRE",
    "-keyout",
    "spire.key",
    "-outform",
    "DER",
    "-out",
    "spire.csr",
  );
  const sign = "openssl x509 -req -CA root.pem -CAkey root.key -days 1 -extfile ca.ext";
  const command = script("sign", `cd ${folder}; test "$1" = "an argument" && test "$PREFERRED_TTL" = 3600 && ${sign}`);
  const client = await load(command);
  const csr = readFileSync(path.join(folder, "spire.csr"));
  const roots: number[] = [];
  for await (const minted of client.mintX509CAAndSubscribe({ csr, preferredTtl: 3600 })) {
    if (roots.length === 0) {
      const [ca, root] = [...minted.x509CaChain, ...minted.upstreamX509Roots].map(
        ({ asn1 }) => new X509Certificate(asn1),
      );
      assert.ok(root && ca?.ca && ca.verify(root.publicKey));
      const both = ["root.pem", "root2.pem"].map((file) => readFileSync(path.join(folder, file)));
      writeFileSync(path.join(folder, "roots.pem"), Buffer.concat(both));
    }
    roots.push(minted.upstreamX509Roots.length);
    if (roots.at(-1) === 2) break;
  }
  assert.equal(roots[0], 1);
});

it("fails with the command, and tells the log why", { skip }, async () => {
  const client = await load(script("fail", "echo no such token >&2; exit 3"));
  await assert.rejects(async () => {
    for await (const _ of client.mintX509CAAndSubscribe({ csr: Buffer.from("csr") }));
  }, /fail: ended with code 3; the log has more/);
  const line = host.log.find(({ message }) => message === "the command has failed");
  assert.match(String(line?.fields.stderr), /no such token/);
});

it("kills a command that takes longer than SPIRE waits", { skip }, async () => {
  const client = await load(script("slow", `echo $$ > ${folder}/pid; exec sleep 600`));
  await deadlineDrill((options) => client.mintX509CAAndSubscribe({ csr: Buffer.from("csr") }, options), 1500);
  const pid = Number(readFileSync(path.join(folder, "pid"), "utf8"));
  while (spawnSync("kill", ["-0", String(pid)]).status === 0) await new Promise((resolve) => setTimeout(resolve, 20));
});

it("refuses a configuration that cannot work", async () => {
  const plugin = await host.load(createPlugin());
  const { notes } = await plugin.validate('command = "sign"\nroots_file = "/r"\nroot_file = "/r"');
  assert.equal(notes.length, 2);
  assert.ok(
    notes.some((note) => note === "command: give an absolute path (line 1)"),
    notes.join(),
  );
  await assert.rejects(
    plugin.configure('command = "/bin/true"\nroots_file = "/nowhere/roots.pem"'),
    /roots_file: ENOENT/,
  );
});
