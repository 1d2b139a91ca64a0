/** The emulator over TLS: what its certificates say, who trusts them, and where the authority is kept. */
import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { Agent } from "node:https";
import { connect as connectPlain } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { connect } from "node:tls";
import { CreateKeyCommand, GetPublicKeyCommand, KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { GetCallerIdentityCommand, STSClient } from "@aws-sdk/client-sts";
import { NodeHttpHandler } from "@smithy/node-http-handler";
import type { Emulator, EmulatorOptions } from "../../../src/kms-emulator/index.ts";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { OpensslChain, withoutOpenssl } from "../../plugin/harness/openssl.ts";
import { account, anyCredentials, region } from "../fixture.ts";
import { startProcess } from "./emulator-process.ts";

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "emulator-tls-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function start(t: TestContext, tls: EmulatorOptions["tls"] = true, rest: EmulatorOptions = {}) {
  const emulator = await startTestEmulator({ ...rest, ...(tls === undefined ? {} : { tls }) });
  t.after(() => emulator.close());
  return emulator;
}

const anchorOf = ({ tls }: Pick<Emulator, "tls">) => {
  assert.ok(tls, "a TLS endpoint says what to trust");
  return tls;
};

function settings(t: TestContext, endpoint: string, ca: string | undefined, maxAttempts = 1) {
  const httpsAgent = new Agent(ca === undefined ? {} : { ca });
  t.after(() => httpsAgent.destroy());
  const requestHandler = new NodeHttpHandler({ httpsAgent });
  return { endpoint, region, credentials: anyCredentials, requestHandler, maxAttempts };
}

/** What the server presents, to who trusts its authority. */
function presented({ endpoint, tls }: Emulator): Promise<X509Certificate> {
  const { hostname, port } = new URL(endpoint);
  return new Promise((resolve, reject) => {
    const socket = connect({ host: hostname, port: Number(port), ca: tls?.caPem ?? "" }, () => {
      const raw = socket.getPeerX509Certificate();
      socket.destroy();
      if (raw === undefined) reject(new Error("no certificate"));
      else resolve(raw);
    });
    socket.on("error", reject);
  });
}

describe("the emulator over TLS", () => {
  it("serves all its services to who trusts its authority, and to no one else", async (t) => {
    const emulator = await start(t);
    assert.match(emulator.endpoint, /^https:\/\/127\.0\.0\.1:\d+$/);
    const { caPem, caFile } = anchorOf(emulator);
    assert.equal(readFileSync(caFile, "utf8"), caPem);
    const kms = new KMSClient(settings(t, emulator.endpoint, caPem));
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" }));
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId: KeyMetadata?.KeyId }));
    assert.equal(PublicKey?.length, 91);
    const sts = new STSClient(settings(t, emulator.endpoint, caPem));
    assert.equal((await sts.send(new GetCallerIdentityCommand({}))).Account, account);
    const stranger = new KMSClient(settings(t, emulator.endpoint, undefined));
    await assert.rejects(stranger.send(new ListKeysCommand({})), /unable to (verify|get)|self-signed/i);
  });

  it("is good for loopback, for the address it listens on, and for the names that were asked for", async (t) => {
    const names = ["kms.private.test", "*.amazonaws.com", "10.1.2.3", "fd00::5", "KMS.upper.test", "localhost"];
    const certificate = await presented(await start(t, { names }, { host: "127.0.0.1" }));
    const dns = ["localhost", "kms.private.test", "sts.amazonaws.com", "kms.upper.test"];
    for (const name of dns) assert.ok(certificate.checkHost(name), name);
    for (const address of ["127.0.0.1", "::1", "10.1.2.3", "fd00::5"]) assert.ok(certificate.checkIP(address), address);
    assert.equal(certificate.checkHost("elsewhere.test"), undefined);
    assert.equal(certificate.checkIP("10.1.2.4"), undefined);
    assert.equal(certificate.ca, false);
    assert.equal(certificate.subjectAltName?.match(/localhost/g)?.length, 1, "each name once");
  });

  it("has no name for an address that is every address", async (t) => {
    const emulator = await start(t, true, { host: "0.0.0.0" });
    const { port } = new URL(emulator.endpoint);
    const certificate = await presented({ ...emulator, endpoint: `https://127.0.0.1:${port}` });
    assert.doesNotMatch(certificate.subjectAltName ?? "", /0\.0\.0\.0/);
  });

  it("stands before OpenSSL at its strictest", { skip: withoutOpenssl }, async (t) => {
    const emulator = await start(t, { names: ["kms.private.test", "fd00::5"] });
    const leaf = await presented(emulator);
    const chain = await OpensslChain.write(temporaryFolder(t), "emulator", anchorOf(emulator).caPem, leaf.toString());
    chain.assertVerifies();
    const text = chain.text();
    assert.match(text, /TLS Web Server Authentication/);
    assert.match(text, /DNS:localhost, IP Address:127\.0\.0\.1, IP Address:0:0:0:0:0:0:0:1, DNS:kms\.private\.test/);
  });

  it("has another authority at each start, and takes the file of the last one away", async (t) => {
    const [first, second] = [await startTestEmulator({ tls: true }), await start(t)];
    const { caFile, caPem } = anchorOf(first);
    assert.notEqual(caPem, anchorOf(second).caPem);
    assert.notEqual(new X509Certificate(caPem).subject, new X509Certificate(anchorOf(second).caPem).subject);
    await first.close();
    assert.equal(existsSync(caFile), false);
    assert.equal(existsSync(anchorOf(second).caFile), true);
  });

  it("keeps its authority in a folder, the key for its owner's eyes", async (t) => {
    const folder = join(temporaryFolder(t), "made", "for", "it");
    const first = await startTestEmulator({ tls: { folder } });
    const { caPem, caFile } = anchorOf(first);
    assert.equal(caFile, join(folder, "ca.pem"));
    const leaf = await presented(first);
    await first.close();
    if (process.platform !== "win32") assert.equal(statSync(join(folder, "ca-key.pem")).mode & 0o777, 0o600);
    const second = await start(t, { folder, names: ["later.test"] });
    assert.equal(anchorOf(second).caPem, caPem);
    const later = await presented(second);
    assert.ok(later.checkHost("later.test"), "the server's certificate is made anew");
    assert.notEqual(later.fingerprint256, leaf.fingerprint256);
    assert.equal(existsSync(caFile), true);
  });

  it("says what is wrong with a folder, and leaves it as it is", async (t) => {
    const folder = temporaryFolder(t);
    const [ca, key] = [join(folder, "ca.pem"), join(folder, "ca-key.pem")];
    await (await startTestEmulator({ tls: { folder } })).close();
    const [caPem, keyPem] = [readFileSync(ca, "utf8"), readFileSync(key, "utf8")];
    const other = temporaryFolder(t);
    await (await startTestEmulator({ tls: { folder: other } })).close();
    const rejects = (message: RegExp, at = folder) =>
      assert.rejects(startTestEmulator({ tls: { folder: at } }), { code: "TLS_FOLDER", message });
    writeFileSync(key, readFileSync(join(other, "ca-key.pem")));
    await rejects(/ca-key\.pem is not the key of ca\.pem; remove both files/);
    writeFileSync(key, "nonsense");
    await rejects(/are not a certificate and a key in PEM form/);
    assert.equal(readFileSync(key, "utf8"), "nonsense");
    rmSync(key);
    await rejects(/has ca\.pem but no ca-key\.pem; remove both/);
    rmSync(ca);
    writeFileSync(key, keyPem);
    await rejects(/has ca-key\.pem but no ca\.pem; remove both/);
    writeFileSync(ca, caPem);
    await (await startTestEmulator({ tls: { folder } })).close();
    mkdirSync(join(other, "x"));
    writeFileSync(join(other, "file"), "");
    await rejects(/cannot (read|write)/, join(other, "file", "below"));
  });

  it("refuses names that no certificate can have", async () => {
    for (const name of ["", "a b", "https://kms.test", "kms.test:443", "*.*.test", "ä.test", "a..b", "10.0.0.0/8"]) {
      const message = `tls: ${JSON.stringify(name)} is neither a DNS name nor an address; it must look like kms.test, *.kms.test or 10.0.0.5`;
      await assert.rejects(startTestEmulator({ tls: { names: [name] } }), { code: "INVALID_OPTION", message });
    }
  });

  it("does as faults say: replies that are lost, connections that are reset", async (t) => {
    const emulator = await start(t);
    const { control, endpoint } = emulator;
    for (const kind of ["reset", "lost-reply"] as const) {
      control.addFault({ kind, operation: "ListKeys", times: 1 });
      const once = new KMSClient(settings(t, endpoint, anchorOf(emulator).caPem));
      await assert.rejects(once.send(new ListKeysCommand({})), { code: "ECONNRESET" }, kind);
      control.addFault({ kind, operation: "ListKeys", times: 1 });
      const patient = new KMSClient(settings(t, endpoint, anchorOf(emulator).caPem, 3));
      assert.deepEqual((await patient.send(new ListKeysCommand({}))).Keys, []);
    }
  });

  it("outlives who speaks no TLS, and closes while they are connected", async (t) => {
    const emulator = await startTestEmulator({ tls: true });
    const { port } = new URL(emulator.endpoint);
    const say = (text: string) =>
      new Promise<void>((resolve) => {
        const socket = connectPlain(Number(port), "127.0.0.1", () => socket.write(text));
        socket.on("error", () => {});
        socket.on("close", () => resolve());
        socket.resume();
        t.after(() => socket.destroy());
      });
    await say("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n");
    const kms = new KMSClient(settings(t, emulator.endpoint, anchorOf(emulator).caPem));
    assert.deepEqual((await kms.send(new ListKeysCommand({}))).Keys, []);
    const silent = say("");
    await emulator.close();
    await silent;
  });

  it("is there with the command, which says what to trust in its first line", async (t) => {
    const folder = temporaryFolder(t);
    const emulator = startProcess(t, ["--tls-folder", folder, "--tls-name", "kms.test", "--tls-name", "10.9.8.7"]);
    const [line = ""] = await emulator.lines(1);
    const { endpoint, ca } = JSON.parse(line) as { endpoint: string; ca: string };
    assert.equal(ca, join(folder, "ca.pem"));
    const caPem = readFileSync(ca, "utf8");
    const kms = new KMSClient(settings(t, endpoint, caPem));
    assert.deepEqual((await kms.send(new ListKeysCommand({}))).Keys, []);
    const tls = { caPem, caFile: ca };
    const certificate = await presented({ endpoint, tls } as Emulator);
    assert.ok(certificate.checkHost("kms.test") && certificate.checkIP("10.9.8.7"));
    emulator.child.kill("SIGTERM");
    const { code, stderr } = await emulator.ended;
    assert.deepEqual([code, stderr], [0, `clients trust it with AWS_CA_BUNDLE=${ca}\n`]);
  });

  it("leaves nothing behind when the command ends", async (t) => {
    const emulator = startProcess(t, ["--tls"]);
    const [line = ""] = await emulator.lines(1);
    const { ca } = JSON.parse(line) as { ca: string };
    assert.ok(existsSync(ca));
    emulator.child.kill("SIGTERM");
    await emulator.ended;
    assert.equal(existsSync(ca), false);
  });
});
