/** Go SDK v2 and boto3 are served as by AWS. */
import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startTestEmulator } from "../../fixtures/test-emulator.ts";
import { installedServer } from "../../interop/moto/moto-server.ts";
import { Unavailable } from "../../interop/python-environment.ts";
import { account } from "../fixture.ts";

const run = promisify(execFile);
const here = dirname(fileURLToPath(import.meta.url));

/** Signatures are verified: what these clients sign must be right in every byte. */
async function start(t: TestContext) {
  const identity = (accessKeyId: string, secretAccessKey: string, name: string) => ({
    accessKeyId,
    secretAccessKey,
    arn: `arn:aws:iam::${account}:user/${name}`,
  });
  const emulator = await startTestEmulator({
    verifySignatures: true,
    roles: [{ arn: `arn:aws:iam::${account}:role/path/py`, trustPolicy: trust }],
    identities: [identity("AKIDGO", "go-secret", "go"), identity("AKIDPY", "py-secret", "py")],
  });
  t.after(() => emulator.close());
  // Each of them is overcome by a standard retry policy, and none of them may upset a client.
  const { control } = emulator;
  control.addFault({
    kind: "error",
    name: "ThrottlingException",
    message: "Rate exceeded",
    operation: "GetPublicKey",
    times: 1,
  });
  control.addFault({ kind: "http-500", operation: "ListAliases", times: 1 });
  control.addFault({ kind: "lost-reply", operation: "Sign", times: 1 });
  control.addFault({ kind: "error", name: "KMSInternalException", operation: "ScheduleKeyDeletion", times: 1 });
  return emulator;
}

const trust = { Statement: { Effect: "Allow", Principal: { AWS: "*" }, Action: "sts:AssumeRole" } };

const arn = (resource: string) => `arn:aws:sts::${account}:assumed-role/${resource}`;

describe("AWS SDKs of other languages", () => {
  it("Go SDK v2 is served as by AWS, over faults that it retries", { timeout: 400_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "emulator-go-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const program = join(folder, "client");
    const build = run("go", ["build", "-o", program, "."], { cwd: join(here, "go-client"), timeout: 300_000 });
    const problem = await build.then(
      () => undefined,
      (error: Error) => error.message.split("\n").slice(0, 2).join(" "),
    );
    if (problem !== undefined) {
      t.skip(`the Go client could not be built: ${problem}`);
      return;
    }
    const emulator = await start(t);
    const { stdout } = await run(program, [emulator.endpoint], { timeout: 90_000 });
    const { created, ...results } = JSON.parse(stdout) as Record<string, unknown>;
    assert.ok(Math.abs(Number(created) - Date.now()) < 120_000);
    assert.deepEqual(results, {
      caller: `arn:aws:iam::${account}:user/go`,
      session: arn("go/go-session"),
      expiresInMinutes: 60,
      verified: true,
      aliases: 3,
      tagged: true,
      deletionInHours: 168,
      invalidState: true,
      notFound: true,
      unmodelled: "ValidationException",
      wrongSecret: "InvalidSignatureException",
      wrongSecretSts: "SignatureDoesNotMatch",
    });
  });

  it("boto3 is served as by AWS, over faults that it retries", { timeout: 600_000 }, async (t) => {
    const server = await installedServer().catch((error: unknown) => {
      if (!(error instanceof Unavailable)) throw error;
      return error;
    });
    if (server instanceof Unavailable) {
      t.skip(server.message);
      return;
    }
    const emulator = await start(t);
    const python = join(dirname(server), "python");
    const { stdout } = await run(python, [join(here, "boto3_client.py"), emulator.endpoint], { timeout: 90_000 });
    const { presigned, ...results } = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(results, {
      caller: `arn:aws:iam::${account}:user/py`,
      session: arn("py/py-session"),
      expiresInMinutes: 15,
      role: ["/path/", `arn:aws:iam::${account}:role/path/py`, "Allow"],
      noRole: ["ClientError", "ValidationError"],
      description: "from Python: né",
      aliases: 3,
      tagged: true,
      deletionInHours: 168,
      invalidState: ["KMSInvalidStateException", "KMSInvalidStateException"],
      notFound: ["NotFoundException", "NotFoundException", "Invalid keyId 'fake'"],
      unmodelled: ["ClientError", "ValidationException"],
      wrongSecret: "InvalidSignatureException",
      wrongSecretSts: "SignatureDoesNotMatch",
    });
    const fetched = await fetch(String(presigned), { signal: AbortSignal.timeout(20_000) });
    assert.equal(fetched.status, 200, "a presigned GetCallerIdentity, as Kubernetes' IAM authenticator uses it");
    assert.match(await fetched.text(), new RegExp(`<Arn>arn:aws:iam::${account}:user/py</Arn>`));
    const forged = await fetch(String(presigned).replace("Action=", "Extra=1&Action="), {
      signal: AbortSignal.timeout(20_000),
    });
    assert.equal(forged.status, 403);
  });
});
