/** No error holds a secret, in whatever form AWS, the SDK or a proxy has quoted it. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { strikeSecrets, withholdCredentials, withholdProxy, withholdSecrets } from "./withhold-credentials.ts";

const credentials = { accessKeyId: "AKIA1", secretAccessKey: "se+cret/1", sessionToken: "to/ken+2==" };

function clientThatFails(message: string): KMSClient {
  const requestHandler = { handle: async () => Promise.reject(new Error(message)) };
  return new KMSClient({ region: "us-east-2", credentials, requestHandler, maxAttempts: 1 });
}

describe("withholdCredentials", () => {
  it("takes secret and token out of an error's message, wherever they stand", async () => {
    const client = clientThatFails("se+cret/1, x-amz-security-token:to/ken+2==, to/ken+2==; AKIA1 may be shown");
    withholdCredentials(client);
    const message = "[withheld], x-amz-security-token:[withheld], [withheld]; AKIA1 may be shown";
    await assert.rejects(client.send(new ListKeysCommand({})), { message });
  });

  it("takes out what was signed with before, by this client or another", async () => {
    const client = clientThatFails("old-token and old-secret");
    withholdSecrets({ secretAccessKey: "old-secret", sessionToken: "old-token" });
    withholdCredentials(client);
    await assert.rejects(client.send(new ListKeysCommand({})), { message: "[withheld] and [withheld]" });
  });

  it("takes a message that is no text for none", async () => {
    const client = clientThatFails("");
    const failure = Object.assign(new Error("x"), { message: { secret: "se+cret" } });
    client.config.requestHandler.handle = async () => Promise.reject(failure);
    withholdCredentials(client);
    await assert.rejects(client.send(new ListKeysCommand({})), { message: "" });
  });

  it("leaves other errors alone, also where there are no credentials", async () => {
    const client = clientThatFails("out of reach");
    client.config.credentials = async () => Promise.reject(new Error("no credentials anywhere"));
    withholdCredentials(client);
    await assert.rejects(client.send(new ListKeysCommand({})), /no credentials anywhere/);
  });
});

describe("strikeSecrets", () => {
  const secret = 'wJalr"XUtn/FEMI+K7MDENG=bPx<RfiCY';
  withholdSecrets({ secretAccessKey: secret });
  const strip = (text: string) => strikeSecrets(`before ${text} after`);
  const unicode = [...secret].map((c) => (/\w/.test(c) ? c : `\\u00${c.charCodeAt(0).toString(16)}`)).join("");
  const percent = [...secret]
    .map((c) => (/\w/.test(c) ? c : `%${c.charCodeAt(0).toString(16).toUpperCase()}`))
    .join("");
  const forms: Readonly<Record<string, string>> = {
    plain: secret,
    "as JSON": JSON.stringify(secret).slice(1, -1),
    "as JSON in JSON": JSON.stringify(JSON.stringify(secret)).slice(3, -3),
    "with every sign escaped": unicode,
    "with slashes escaped": secret.replaceAll("/", "\\/"),
    "URL-encoded": encodeURIComponent(secret),
    "URL-encoded, in lower case": percent.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()),
    "URL-encoded twice": encodeURIComponent(encodeURIComponent(secret)),
    "as HTML": secret.replaceAll('"', "&#34;").replaceAll("<", "&#x3C;").replaceAll("/", "&#47;"),
    "broken into lines": secret.replace(/.{8}/g, "$&\n"),
    "broken into indented lines": secret.replace(/.{8}/g, "$&\r\n    "),
    "broken into lines, as JSON": secret.replace(/[a-z]{2}/g, "$&\\n"),
  };
  for (const [name, form] of Object.entries(forms)) {
    it(`strikes a secret out ${name}`, () => assert.equal(strip(form), "before [withheld] after"));
  }

  it("strikes base64 of a secret, alone, within other text, for URLs and in lines", () => {
    for (const text of [secret, `user:${secret}`, `a${secret}b`, `ab${secret}`]) {
      for (const encoding of ["base64", "base64url"] as const) {
        const encoded = Buffer.from(text).toString(encoding);
        for (const form of [encoded, encoded.replace(/.{10}/g, "$&\n")]) {
          const struck = strip(form).replace(/\s/g, "");
          assert.match(struck, /^before[\w+/=-]{0,9}\[withheld\][\w+/=-]{0,4}after$/, form);
        }
      }
    }
  });

  it("strikes a long token whole", () => {
    const sessionToken = `IQoJb3JpZ2lu${"Ab1+/".repeat(300)}==`;
    withholdSecrets({ secretAccessKey: secret, sessionToken });
    assert.equal(strip(sessionToken), "before [withheld] after");
    assert.equal(strip(encodeURIComponent(sessionToken)), "before [withheld] after");
  });

  it("strikes a proxy's user and password", () => {
    const user = "proxy-user:correct-horse";
    withholdProxy(`Basic ${Buffer.from(user).toString("base64")}`);
    assert.equal(strip(`http://${user}@proxy`), "before http://[withheld]@proxy after");
    assert.equal(strip("correct-horse"), "before [withheld] after");
    assert.match(strip(Buffer.from(user).toString("base64")), /^before \[withheld\].{0,4} after$/);
  });

  it("is quick with a long message full of beginnings", () => {
    const text = `${secret.slice(0, -1)}${"\n".repeat(1_000)}`.repeat(200);
    assert.equal(strikeSecrets(text), text);
  });
});
