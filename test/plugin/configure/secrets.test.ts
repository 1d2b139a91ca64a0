import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { before, describe, it } from "node:test";
import { pluginData } from "../harness/settings.ts";
import { signMessage } from "../harness/signing.ts";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";
import type { TestPlugin } from "../harness/test-plugin.ts";

const secretAccessKey = `Secret+Access/Key${randomBytes(16).toString("base64url")}`;
const sessionToken = `Session/Token+${randomBytes(200).toString("base64")}`;

const mismatch =
  "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
const headers = `content-type:application/x-amz-json-1.1\nhost:kms.us-east-2.amazonaws.com\nx-amz-date:20261122T101112Z\nx-amz-security-token:${sessionToken}\nx-amz-target:TrentService.ListAliases`;

const nameless = `the token ${sessionToken} is not known here`;

/** How AWS, and what stands between it and us, quote a request back. */
const messages: readonly (readonly [title: string, message: string])[] = [
  [
    "AWS's own words, the canonical request below them",
    `${mismatch}\n\nThe Canonical String for this request should have been\n'POST\n/\n\n${headers}\n'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261122T101112Z\n'\n`,
  ],
  [
    "the same on one line",
    `${mismatch} The Canonical String for this request should have been 'POST / ${headers.replaceAll("\n", " ")}'`,
  ],
  ["the header by itself", `cannot accept x-amz-security-token:${sessionToken}`],
  ["the header as curl shows it", `bad request header "X-Amz-Security-Token: ${sessionToken}" refused`],
  ["the header as JSON", `refused {"x-amz-security-token":"${sessionToken}","host":"kms"}`],
  ["the token without a name", nameless],
];

const settings = {
  access_key_id: "ASIASECRETSTEST00001",
  secret_access_key: secretAccessKey,
  session_token: sessionToken,
};
const keyId = "x509-CA-A";

/**
 * What is asserted here is asserted when the stage closes: nothing that the plugin said, in log lines of any level and in
 * errors, has one of the secrets in it.
 */
describe("secrets are never told", () => {
  const stage = useStage({ secrets: [secretAccessKey, sessionToken, sessionToken.slice(0, 40)] });

  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure(settings);
    await plugin.generate(keyId);
  });

  /** Every call of the operation is refused in these words while `run` runs. */
  async function refusing(operation: string, message: string, run: () => Promise<unknown>): Promise<void> {
    const fault = stage.kms.fault({ kind: "error", name: "InvalidSignatureException", message, operation });
    await expectStatus(run(), "UNAUTHENTICATED", new RegExp(`${operation}: InvalidSignatureException: `));
    assert.ok(fault.hits > 0);
    fault.remove();
  }

  for (const [title, message] of messages) {
    it(`when an error quotes the request: ${title}`, async () => {
      await refusing("Sign", message, () => signMessage(plugin, keyId, Buffer.from("message"), "sha256"));
      for (const operation of ["CreateKey", "GetPublicKey", "UpdateAlias"]) {
        await refusing(operation, message, () => plugin.generate(keyId));
      }
    });
  }

  it("when Configure meets such an error", async () => {
    await refusing("ListAliases", nameless, () => plugin.configure(settings));
  });

  it("when STS answers with such an error, in the background and to who makes a key", async () => {
    await refusing("GetCallerIdentity", nameless, async () => {
      await plugin.configure(settings);
      await plugin.logged(/AWS STS does not tell who the server is/);
      return plugin.generate(keyId);
    });
  });

  it("when a role is assumed: neither what it is assumed with nor what it gives", async () => {
    const roleArn = "arn:aws:iam::111122223333:role/signer";
    const assuming = { ...settings, assume_role_arn: roleArn, key_identifier_value: "assuming" };
    await refusing("AssumeRole", nameless, () => plugin.configure(assuming));
    stage.kms.forgetCalls();
    await plugin.configure(assuming);
    await plugin.generate(keyId);
    interface Answer {
      Credentials: { SecretAccessKey: string; SessionToken: string };
    }
    const [assumed] = stage.kms.calls("AssumeRole");
    assert.ok(assumed);
    const { SecretAccessKey, SessionToken } = (assumed.output as Answer).Credentials;
    const quoting = `the token ${SessionToken} and the secret ${SecretAccessKey} are not known here`;
    await refusing("Sign", quoting, () => signMessage(plugin, keyId, Buffer.from("message"), "sha256"));
    const told = plugin.said.filter((text) => text.includes(SessionToken) || text.includes(SecretAccessKey));
    assert.deepEqual(told, []);
    await plugin.configure(settings);
  });

  it("when the error comes in the background: a deletion that is refused at first", async () => {
    const name = "InvalidSignatureException";
    const fault = stage.kms.fault({
      kind: "error",
      name,
      message: nameless,
      operation: "ScheduleKeyDeletion",
      times: 2,
    });
    const scheduled = stage.kms.done("ScheduleKeyDeletion");
    await plugin.generate(keyId);
    await scheduled;
    assert.equal(fault.hits, 2);
  });

  it("when the configuration that holds them is wrong", async () => {
    const text = pluginData(settings);
    const wrong = [
      pluginData({ ...settings, region: "no region!" }),
      pluginData({ ...settings, access_key_id: undefined }),
      pluginData({ ...settings, secret_access_keys: secretAccessKey }),
      pluginData({ ...settings, secret_access_key: [secretAccessKey] }),
      pluginData({ ...settings, session_token: { token: sessionToken } }),
      pluginData({ ...settings, access_key_id: undefined, secret_access_key: undefined }),
      text.replace(`"${secretAccessKey}"`, `"${secretAccessKey}`),
      text.replace(`"${secretAccessKey}"`, secretAccessKey),
      text.replace(`secret_access_key = "`, `secret_access_key "`),
      `${text}\nsecret_access_key = "${secretAccessKey}"\n`,
      `{ "secret_access_key": "${secretAccessKey}" "session_token": "${sessionToken}" }`,
    ];
    for (const [index, hcl] of wrong.entries()) {
      const details = await expectStatus(plugin.configureText(hcl), "INVALID_ARGUMENT", /invalid configuration/).catch(
        (error: unknown) => {
          throw new Error(`text ${index}: ${String(error)}`);
        },
      );
      const { notes } = await plugin.validateText(hcl);
      plugin.said.push(details, ...notes);
    }
  });

  for (const [title, spoiled] of [
    ["a line break at its end", `${sessionToken}\n`],
    ["a space in it", `${sessionToken.slice(0, 60)} ${sessionToken.slice(60)}`],
    ["a letter that no header can carry", `${sessionToken}\u2028`],
  ] as const) {
    it(`when a session token has ${title}: INVALID_ARGUMENT names the setting`, async () => {
      const wrong = { ...settings, session_token: spoiled };
      await expectStatus(plugin.configure(wrong), "INVALID_ARGUMENT", /session_token: /);
    });
  }
});
