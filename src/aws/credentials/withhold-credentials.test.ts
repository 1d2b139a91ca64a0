import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KMSClient, ListKeysCommand } from "@aws-sdk/client-kms";
import { withholdCredentials, withholdSecrets } from "./withhold-credentials.ts";

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
