/** The endpoints of containers and machines: what is asked, and how. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, beforeEach, describe, it } from "node:test";
import { containerCredentials } from "./container.ts";
import { instanceCredentials } from "./instance.ts";

const body = JSON.stringify({
  AccessKeyId: "ASIA",
  SecretAccessKey: "s",
  Token: "t",
  Expiration: "2026-01-01T00:00:00Z",
});
const expected = {
  accessKeyId: "ASIA",
  secretAccessKey: "s",
  sessionToken: "t",
  expiration: new Date("2026-01-01T00:00:00Z"),
};

describe("metadata endpoints", () => {
  let answer: (request: IncomingMessage) => readonly [status: number, body: string] = () => [200, body];
  let asked: string[] = [];
  const server = createServer((request, response) => {
    const { authorization = "-", "x-aws-ec2-metadata-token": token = "-" } = request.headers;
    asked.push(`${request.method} ${request.url} ${authorization} ${token}`);
    const [status, text] = answer(request);
    response.writeHead(status).end(text);
  });
  let url = "";
  before(async () => {
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => server.close());
  beforeEach(() => {
    asked = [];
    answer = () => [200, body];
  });
  const signal = new AbortController().signal;
  const readText = async () => "token-of-file";
  const container = (env: Record<string, string> = {}, at = `${url}/v1/credentials?x=1`) =>
    containerCredentials(
      { url: at, variable: "AWS_CONTAINER_CREDENTIALS_FULL_URI", env, readText, requestMs: 60_000 },
      signal,
    );
  const instance = (env: Record<string, string> = {}) =>
    instanceCredentials(
      { env: { AWS_EC2_METADATA_SERVICE_ENDPOINT: url, ...env }, profile: undefined, requestMs: 60_000 },
      signal,
    );

  it("a container's: with the token of the file, or else of the variable; the environment's proxy is not asked", async () => {
    const proxy = { HTTP_PROXY: "http://127.0.0.1:1", http_proxy: "http://127.0.0.1:1" };
    assert.deepEqual(await container({ ...proxy, AWS_CONTAINER_AUTHORIZATION_TOKEN: "token" }), expected);
    const both = { AWS_CONTAINER_AUTHORIZATION_TOKEN: "token", AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: "/f" };
    await container(both);
    assert.deepEqual(asked, ["GET /v1/credentials?x=1 token -", "GET /v1/credentials?x=1 token-of-file -"]);
  });

  it("a container's refusal is told in its own words, without the address's query", async () => {
    answer = () => [404, '{"code":"ResourceNotFound","message":"no association"}'];
    await assert.rejects(container(), {
      code: "UNAUTHENTICATED",
      message: `the container credentials endpoint ${url}/v1/credentials refused: HTTP 404, ResourceNotFound: no association`,
    });
    assert.equal(asked.length, 1, "a refusal is not repeated");
  });

  it("a container's trouble is tried again at once", async () => {
    answer = () => (asked.length < 3 ? [500, ""] : [200, body]);
    assert.deepEqual(await container(), expected);
    assert.equal(asked.length, 3);
  });

  it("a container's endpoint elsewhere is not asked over plain HTTP", async () => {
    for (const host of ["192.0.2.1", "[2001:db8::1]", "169.254.169.254"]) {
      await assert.rejects(container({}, `http://${host}/x`), /names the host \S+ over plain HTTP/);
    }
    await assert.rejects(container({}, "ftp://127.0.0.1/x"), /is not an http:\/\/ or https:\/\/ address/);
  });

  it("an instance's: token, role, credentials", async () => {
    answer = ({ url: path }) =>
      path === "/latest/api/token" ? [200, "mdt"] : path?.endsWith("/") ? [200, "server\n"] : [200, body];
    assert.deepEqual(await instance(), { ...expected, usableAfterExpiry: true });
    const place = "/latest/meta-data/iam/security-credentials/";
    assert.deepEqual(asked, ["PUT /latest/api/token - -", `GET ${place} - mdt`, `GET ${place}server - mdt`]);
  });

  it("an instance's without tokens, unless IMDSv1 is switched off", async () => {
    answer = ({ url: path }) =>
      path === "/latest/api/token" ? [404, ""] : path?.endsWith("/") ? [200, "r"] : [200, body];
    assert.equal((await instance()).accessKeyId, "ASIA");
    await assert.rejects(instance({ AWS_EC2_METADATA_V1_DISABLED: "true" }), /\(token\) refused: HTTP 404/);
  });

  it("an instance's that has no role, that fails, or that is switched off", async () => {
    answer = ({ url: path }) => (path === "/latest/api/token" ? [200, "t"] : [404, "<html>Not Found</html>"]);
    await assert.rejects(instance(), /\(role of the instance\) refused: HTTP 404, <html>Not Found<\/html>/);
    const failed = JSON.stringify({ Code: "AssumeRoleUnauthorizedAccess", Message: "EC2 cannot assume the role" });
    answer = ({ url: path }) => (path?.endsWith("/") ? [200, "r"] : [200, path?.endsWith("token") ? "t" : failed]);
    await assert.rejects(instance(), /AssumeRoleUnauthorizedAccess: EC2 cannot assume the role/);
    await assert.rejects(instance({ AWS_EC2_METADATA_DISABLED: "TRUE" }), /switched off by AWS_EC2_METADATA_DISABLED/);
  });
});
