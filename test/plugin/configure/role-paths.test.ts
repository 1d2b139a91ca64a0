/** The server's role has a path, which AWS does not tell its sessions and which a key policy must name. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const account = "111122223333";
const roleArn = `arn:aws:iam::${account}:role/infra/prod/spire-server`;
const plainArn = `arn:aws:iam::${account}:role/spire-server`;
const sessionArn = `arn:aws:sts::${account}:assumed-role/spire-server/i-0abc`;
const secretAccessKey = "Zz+/RolePathsSecretAccessKeyOfTheTests0000";

const allow = (...Action: string[]) => ({ Statement: { Effect: "Allow", Action, Resource: "*" } });
const mayGetRole = {
  Statement: { Effect: "Allow", Action: "iam:GetRole", Resource: `arn:aws:iam::${account}:role/*/spire-server` },
};
const basics = allow("kms:CreateKey", "kms:ListAliases", "kms:CreateAlias", "kms:UpdateAlias");

const session = { secretAccessKey, arn: sessionArn, roleArn };
const allowed = { ...session, accessKeyId: "ASIAMAYGETROLE000001", policies: [basics, mayGetRole] };
const denied = { ...session, accessKeyId: "ASIAMAYNOTGETROLE001", policies: [basics] };
const assuming = {
  secretAccessKey,
  accessKeyId: "AKIAMAYASSUME0000001",
  arn: `arn:aws:iam::${account}:user/bootstrap`,
  policies: [allow("sts:AssumeRole")],
};
const emulator = {
  authorize: true,
  verifySignatures: true,
  identities: [allowed, denied, assuming],
  roles: [{ arn: roleArn, policies: [basics] }],
};

const keyId = "x509-CA-A";

describe("a role with a path and the default key policy, on a KMS that knows its roles", () => {
  const stage = useStage({ emulator, secrets: [secretAccessKey] });
  const start = (identity: { readonly accessKeyId: string }, env = {}) =>
    stage.start({
      env: { AWS_ACCESS_KEY_ID: identity.accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey, ...env },
    });

  const policyBehind = async (serverId: string) => {
    const key = await stage.kms.keyBehind(serverId, keyId);
    const { Policy } = await stage.kms.call<{ Policy: string }>("GetKeyPolicy", { KeyId: key.keyId });
    return JSON.parse(Policy) as { Statement: { Principal: { AWS: string } }[] };
  };

  async function assertMakesKeys(plugin: TestPlugin, serverId: string): Promise<void> {
    const { fingerprint } = await plugin.generate(keyId);
    const { keyFingerprint } = await signMessage(plugin, keyId, Buffer.from("message"), "sha256");
    assert.equal(keyFingerprint, fingerprint);
    assert.equal((await policyBehind(serverId)).Statement[0]?.Principal.AWS, roleArn);
  }

  it("IAM may be asked: it is once, new keys name the role with its path, and sign", async () => {
    stage.kms.forgetCalls();
    const plugin = await start(allowed);
    await plugin.configure({ key_identifier_value: "told" });
    await assertMakesKeys(plugin, "told");
    await plugin.configure({ key_identifier_value: "told" });
    await assertMakesKeys(plugin, "told");
    assert.deepEqual(
      stage.kms.calls("GetRole").map(({ input, outcome }) => [input, outcome]),
      [[{ RoleName: "spire-server" }, "ok"]],
    );
    assert.equal((await plugin.logged(/IAM has told/, roleArn)).level, "debug");
    await plugin.stop();
  });

  it("IAM may not be asked: one line at info, and a refusal that says what to do, as it does", async () => {
    const keys = await stage.kms.keys();
    const plugin = await start(denied);
    await plugin.configure({ key_identifier_value: "denied" });
    const line = await plugin.logged(/names the server's role without a path/, plainArn);
    assert.equal(line.level, "info");
    assert.match(String(line.fields.reason), /^GetRole: AccessDenied: .*not authorized to perform: iam:GetRole/);
    const advice = String(line.fields.advice);
    assert.ok(advice.includes(`iam:GetRole on arn:aws:iam::${account}:role/*/spire-server`), advice);
    assert.ok(advice.includes(`arn:aws:iam::${account}:role/PATH/spire-server`), advice);
    const words = [/MalformedPolicyDocumentException/, /allow iam:GetRole/, /assume_role_arn/, /key_policy_file/];
    await expectStatus(plugin.generate(keyId), "FAILED_PRECONDITION", ...words);
    await plugin.configure({ key_identifier_value: "denied" });
    await expectStatus(plugin.generate(keyId), "FAILED_PRECONDITION", ...words);
    assert.equal(
      stage.kms.calls("GetRole").filter(({ caller }) => caller.accessKeyId === denied.accessKeyId).length,
      1,
    );
    assert.equal(plugin.logs.filter(({ message }) => /without a path/.test(message)).length, 1);
    assert.deepEqual(await stage.kms.keys(), keys, "no key is left behind");

    const policy = await policyBehind("told");
    const text = JSON.stringify(policy).replaceAll(roleArn, advice.match(/principal (\S+)$/)?.[1] ?? "");
    await writeFile(join(stage.folder, "policy.json"), text.replace("PATH", "infra/prod"));
    await plugin.configure({ key_identifier_value: "denied", key_policy_file: "policy.json" });
    await assertMakesKeys(plugin, "denied");
    await plugin.stop();
  });

  it("IAM is slow: Configure does not wait for it, and who makes a key does", async () => {
    const plugin = await start(allowed);
    const held = stage.kms.pause({ operation: "GetRole", when: "before" });
    await plugin.configure({ key_identifier_value: "slow" });
    await held.reached;
    const generated = assertMakesKeys(plugin, "slow");
    const first = await Promise.race([stage.kms.done("CreateKey").then(() => "CreateKey"), delayed(300, "nothing")]);
    assert.equal(first, "nothing");
    held.release();
    await generated;
    await plugin.stop();
  });

  it("assume_role_arn tells the path: IAM is not asked", async () => {
    stage.kms.forgetCalls();
    const plugin = await start(assuming);
    await plugin.configure({ key_identifier_value: "assumed", assume_role_arn: roleArn });
    await assertMakesKeys(plugin, "assumed");
    assert.deepEqual(stage.kms.calls("GetRole"), []);
    await plugin.stop();
  });

  it("AWS_ROLE_ARN of a web identity tells it, too", async () => {
    stage.kms.forgetCalls();
    const plugin = await start(denied, { AWS_ROLE_ARN: roleArn });
    await plugin.configure({ key_identifier_value: "web-identity" });
    await assertMakesKeys(plugin, "web-identity");
    assert.deepEqual(stage.kms.calls("GetRole"), []);
    await plugin.stop();
  });

  it("endpoints of one's own in the configuration: AWS's IAM is not asked", async () => {
    stage.kms.forgetCalls();
    const { endpoint } = stage.emulator;
    const plugin = await start(denied, { AWS_ENDPOINT_URL: undefined });
    await plugin.configure({ key_identifier_value: "private", endpoint, sts_endpoint: endpoint });
    assert.equal((await plugin.logged(/no IAM to ask/, plainArn)).level, "debug");
    await expectStatus(plugin.generate(keyId), "FAILED_PRECONDITION", /allow iam:GetRole/);
    assert.deepEqual(stage.kms.calls("GetRole"), []);
    await plugin.stop();
  });
});

const delayed = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(resolve, ms, value).unref());

describe("an IAM that is out of order", () => {
  const stage = useStage();
  let answer: string | undefined;
  const iam = createServer((request, response) => {
    request.resume();
    if (answer === undefined) request.socket.destroy();
    else response.writeHead(200, { "Content-Type": "text/xml" }).end(answer);
  });
  let iamEndpoint: string;

  before(async () => {
    await new Promise<void>((resolve) => iam.listen(0, "127.0.0.1", resolve));
    iamEndpoint = `http://127.0.0.1:${(iam.address() as AddressInfo).port}`;
  });
  after(() => {
    iam.closeAllConnections();
    iam.close();
  });

  const roleXml = (arn: string) =>
    `<GetRoleResponse><GetRoleResult><Role><Arn>${arn}</Arn></Role></GetRoleResult></GetRoleResponse>`;
  for (const [title, text] of [
    ["does not answer", undefined],
    ["answers nonsense", "<html>"],
    ["tells a principal that would let everybody in", roleXml(`arn:aws:iam::${account}:role/*/spire-server`)],
    ["tells another account's role", roleXml("arn:aws:iam::444455556666:role/x/spire-server")],
    ["tells another role", roleXml(`arn:aws:iam::${account}:role/x/admin`)],
  ] as const) {
    it(`${title}: a warning, and keys for the role without a path`, async () => {
      answer = text;
      const plugin = await stage.start({ env: { AWS_ENDPOINT_URL_IAM: iamEndpoint } });
      await plugin.configure();
      stage.kms.forgetCalls();
      await plugin.generate(keyId);
      const [call] = stage.kms.calls("CreateKey");
      const { Policy } = Object(call?.input) as { Policy: string };
      const { Statement } = JSON.parse(Policy) as { Statement: { Principal: { AWS: string } }[] };
      assert.deepEqual(
        Statement.map(({ Principal }) => Principal.AWS),
        [plainArn, `arn:aws:iam::${account}:root`],
      );
      const line = await plugin.logged(/names the server's role without a path/, plainArn);
      assert.equal(line.level, "warn");
      await plugin.stop();
    });
  }
});
