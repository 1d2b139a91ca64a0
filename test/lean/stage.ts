/** One call by the SDK, by lean requests over the SDK's HTTP handler, and by lean requests over connections of our own, side by side. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { KMSClient } from "@aws-sdk/client-kms";
import { BoundedHttpHandler } from "../../src/aws/calls/bounded-handler.ts";
import { requirePlainJson } from "../../src/aws/calls/plain-json.ts";
import type { Caller } from "../../src/aws/calls/retry.ts";
import { withholdCredentials } from "../../src/aws/credentials/withhold-credentials.ts";
import { AwsKmsClient } from "../../src/aws/kms-client.ts";
import { judgingHandler } from "../../src/aws/lean/judge.ts";
import { kmsSenders } from "../../src/aws/lean/kms-senders.ts";
import { LeanSender } from "../../src/aws/lean/lean-sender.ts";
import { sendBySdk, sendingBy } from "../../src/aws/lean/reply.ts";
import { ProxyRules } from "../../src/aws/network/proxy-rules.ts";
import { SecureConnector } from "../../src/aws/network/secure-connector.ts";
import { Trust } from "../../src/aws/network/trust.ts";
import { OwnTransport, transportBy } from "../../src/aws/transport/own-transport.ts";
import { type Clock, isKmsError } from "../../src/key-manager/ports.ts";
import { noTelemetry } from "../../src/key-manager/telemetry.ts";
import { type Subject, subjects } from "./subjects.ts";

/** The call that is made if no other is told. */
const [signing] = subjects as [Subject];
export const { good } = signing;

interface AwsCredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const readText = () => Promise.reject(Object.assign(new Error("no files"), { code: "ENOENT" }));

export const secret: AwsCredentialIdentity = {
  accessKeyId: "AKIATEST",
  secretAccessKey: "a-secret-access-key",
  sessionToken: "a-session-token",
};

let sleptMs = 0;
/** Time in which sleeping takes none of ours. */
const clock: Clock = {
  now: () => new Date(Date.now() + sleptMs),
  elapsedMs: () => performance.now() + sleptMs,
  sleep: async (ms) => {
    sleptMs += ms;
  },
  random: () => 0,
};

/** Everything by the SDK; lean requests over the SDK's HTTP handler; lean requests over connections of our own. */
export type Title = "sdk" | "lean" | "own";

/** A client by one of the ways. */
export class Way {
  readonly sdk: KMSClient;
  readonly kms: AwsKmsClient;
  credentials: AwsCredentialIdentity = secret;
  /** What the SDK's client was asked to send. */
  bySdk = 0;
  readonly prepare: LeanSender["prepare"];
  readonly #transport: OwnTransport;
  #discards = 0;

  constructor(title: Title, endpoint: string, requestTimeout: number) {
    const requestHandler = new BoundedHttpHandler({
      connectionTimeout: 1_000,
      requestTimeout,
      throwOnRequestTimeout: true,
    });
    const options = { region: "us-east-2", maxAttempts: 1, endpoint };
    // Like a CredentialSource: what it gives has expired already.
    const credentials = async () => ({ ...this.credentials, expiration: new Date() });
    this.sdk = new KMSClient({ ...options, requestHandler, credentials });
    const none = { accessKeyId: "none", secretAccessKey: "none" };
    const makeJudge = () => {
      const judge = new KMSClient({ ...options, requestHandler: judgingHandler, credentials: none });
      withholdCredentials(judge);
      requirePlainJson(judge);
      return judge;
    };
    withholdCredentials(this.sdk);
    requirePlainJson(this.sdk);
    const send = this.sdk.send.bind(this.sdk);
    this.sdk.send = ((...args: Parameters<typeof send>) => {
      this.bySdk++;
      return send(...args);
    }) as typeof send;
    const caller: Caller = { clock, telemetry: noTelemetry, discardCredentials: () => this.#discards++ < 1 };
    const rules = new ProxyRules({});
    const connector = new SecureConnector(
      rules,
      new Trust({ env: {}, readText, profileBundle: async () => undefined }),
    );
    const limits = { connectionTimeout: 1_000, requestTimeout, maxConnections: 100 };
    // What would not go over our own connections is to fail.
    const otherwise = { handle: () => Promise.reject(new Error("not over connections of our own")) };
    this.#transport = new OwnTransport({ ...limits, rules, connector, otherwise });
    const transport = title === "own" ? this.#transport : transportBy(requestHandler);
    const bySdk = sendingBy(this.sdk);
    const lean = new LeanSender({ sdk: this.sdk, send: bySdk, makeJudge, transport, credentials });
    this.prepare = () => lean.prepare();
    this.kms = new AwsKmsClient(
      this.sdk,
      caller,
      kmsSenders(title === "sdk" ? (operation) => sendBySdk(bySdk, operation) : lean.sending),
    );
  }

  close(): void {
    this.sdk.destroy();
    this.#transport.destroy();
  }

  /** What comes of a call, or the error that is told. */
  async call(subject = signing, signal?: AbortSignal): Promise<unknown> {
    this.#discards = 0;
    this.bySdk = 0;
    try {
      return await subject.call(this.kms, signal);
    } catch (error) {
      assert.ok(isKmsError(error), String(error));
      const { code, operation, awsName, requestId, outcomeUnknown, message } = error;
      return { code, operation, awsName, requestId, outcomeUnknown, message };
    }
  }
}

export const answerWell: RequestListener = (_, response) => response.end(good);

/** A server whose answers are told, and clients of it. */
export class Stage {
  readonly #server = createServer((request, response) => {
    this.requests.push(request);
    if (this.#date !== undefined) response.setHeader("date", this.#date);
    request.resume().once("end", () => this.listener(request, response));
  });
  readonly requests: IncomingMessage[] = [];
  /** What all ways of one comparison are answered with: pages tell it, in seconds. */
  #date: string | undefined;
  listener: RequestListener = answerWell;
  endpoint = "";

  async open(): Promise<this> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    this.endpoint = `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
    return this;
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** A way that has made as many signatures as it takes to learn. */
  async way(title: Title, requestTimeout = 5_000): Promise<Way> {
    const way = new Way(title, this.endpoint, requestTimeout);
    this.listener = answerWell;
    for (let index = 0; index < 3; index++) assert.deepEqual(await way.call(), [1, 2, 3]);
    assert.equal(way.bySdk, title === "sdk" ? 1 : 0, "the lean way does without the SDK's client by now");
    return way;
  }

  async ways(requestTimeout?: number): Promise<readonly [sdk: Way, lean: Way, own: Way]> {
    const way = (title: Title) => this.way(title, requestTimeout);
    return [await way("sdk"), await way("lean"), await way("own")];
  }

  /** What becomes of a signature when this is the answer to each request, and how many requests it takes. */
  async outcome(
    way: Way,
    listener: RequestListener,
    subject = signing,
  ): Promise<{ readonly outcome: unknown; readonly requests: number }> {
    this.listener = listener;
    this.requests.length = 0;
    return { outcome: await way.call(subject), requests: this.requests.length };
  }

  async assertAlike(
    [sdk, ...lean]: readonly [Way, Way, Way],
    listener: RequestListener,
    subject = signing,
  ): Promise<unknown> {
    this.#date = new Date().toUTCString();
    const expected = await this.outcome(sdk, listener, subject);
    for (const way of lean) {
      const actual = await this.outcome(way, listener, subject);
      assert.deepEqual(actual, expected);
      assert.equal(way.bySdk, 0, "it was the lean way");
    }
    return expected.outcome;
  }
}

export type Headers = Readonly<Record<string, string>>;

export const answering =
  (status: number, body: string | Buffer, headers: Headers = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { "x-amzn-requestid": "0b9ee2ee-2f2b", ...headers }).end(body);

export const exception = (type: string, message = "no", status = 400, headers: Headers = {}): RequestListener =>
  answering(status, JSON.stringify({ __type: type, message }), headers);

/** These bytes and the end of the connection. */
export const raw =
  (bytes: string): RequestListener =>
  (_, response) =>
    response.socket?.end(bytes, "latin1");

export const hourAhead = () => new Date(Date.now() + 3_600_000).toUTCString();

export const cut = (response: ServerResponse) => setImmediate(() => response.destroy());
