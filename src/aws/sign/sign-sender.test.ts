/** What the lean way makes of answers, beside what the SDK makes of the same. */
import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { after, describe, it } from "node:test";
import { KMSClient } from "@aws-sdk/client-kms";
import fc from "fast-check";
import { type Clock, isKmsError, KmsError, type SignInput } from "../../key-manager/ports.ts";
import { noTelemetry } from "../../key-manager/telemetry.ts";
import { BoundedHttpHandler } from "../calls/bounded-handler.ts";
import type { Caller } from "../calls/retry.ts";
import { withholdCredentials } from "../credentials/withhold-credentials.ts";
import { AwsKmsClient } from "../kms-client.ts";
import { ProxyRules } from "../network/proxy-rules.ts";
import { SecureConnector } from "../network/secure-connector.ts";
import { Trust } from "../network/trust.ts";
import { OwnTransport, transportBy } from "../transport/own-transport.ts";
import { judgingHandler, LeanSignSender } from "./sign-sender.ts";

const keyArn = "arn:aws:kms:us-east-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const input: SignInput = { keyArn, digest: new Uint8Array(32).fill(7), signingAlgorithm: "ECDSA_SHA_256" };
const good = JSON.stringify({ KeyId: keyArn, Signature: "AQID", SigningAlgorithm: "ECDSA_SHA_256" });
interface AwsCredentialIdentity {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

const readText = () => Promise.reject(Object.assign(new Error("no files"), { code: "ENOENT" }));

const secret: AwsCredentialIdentity = {
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
type Title = "sdk" | "lean" | "own";

/** A client by one of the ways. */
class Way {
  readonly sdk: KMSClient;
  readonly kms: AwsKmsClient;
  credentials: AwsCredentialIdentity = secret;
  /** What the SDK's client was asked to send. */
  bySdk = 0;
  readonly prepare: LeanSignSender["prepare"];
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
      return judge;
    };
    withholdCredentials(this.sdk);
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
    const lean = new LeanSignSender({ sdk: this.sdk, makeJudge, transport, credentials });
    this.prepare = () => lean.prepare();
    this.kms = new AwsKmsClient(this.sdk, caller, title === "sdk" ? undefined : lean.send);
  }

  close(): void {
    this.sdk.destroy();
    this.#transport.destroy();
  }

  async sign(signal?: AbortSignal): Promise<unknown> {
    this.#discards = 0;
    this.bySdk = 0;
    try {
      return [...(await this.kms.sign(input, { signal }))];
    } catch (error) {
      assert.ok(isKmsError(error), String(error));
      const { code, operation, awsName, requestId, outcomeUnknown, message } = error;
      return { code, operation, awsName, requestId, outcomeUnknown, message };
    }
  }
}

const answerWell: RequestListener = (_, response) => response.end(good);

/** A server whose answers are told, and clients of it. */
class Stage {
  readonly #server = createServer((request, response) => {
    this.requests.push(request);
    request.resume().once("end", () => this.listener(request, response));
  });
  readonly requests: IncomingMessage[] = [];
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
    for (let index = 0; index < 3; index++) assert.deepEqual(await way.sign(), [1, 2, 3]);
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
  ): Promise<{ readonly outcome: unknown; readonly requests: number }> {
    this.listener = listener;
    this.requests.length = 0;
    return { outcome: await way.sign(), requests: this.requests.length };
  }

  async assertAlike([sdk, ...lean]: readonly [Way, Way, Way], listener: RequestListener): Promise<unknown> {
    const expected = await this.outcome(sdk, listener);
    for (const way of lean) {
      const actual = await this.outcome(way, listener);
      assert.deepEqual(actual, expected);
      assert.equal(way.bySdk, 0, "it was the lean way");
    }
    return expected.outcome;
  }
}

type Headers = Readonly<Record<string, string>>;

const answering =
  (status: number, body: string | Buffer, headers: Headers = {}): RequestListener =>
  (_, response) =>
    response.writeHead(status, { "x-amzn-requestid": "0b9ee2ee-2f2b", ...headers }).end(body);

const exception = (type: string, message = "no", status = 400, headers: Headers = {}): RequestListener =>
  answering(status, JSON.stringify({ __type: type, message }), headers);

/** These bytes and the end of the connection. */
const raw =
  (bytes: string): RequestListener =>
  (_, response) =>
    response.socket?.end(bytes, "latin1");

const hourAhead = () => new Date(Date.now() + 3_600_000).toUTCString();

const cut = (response: ServerResponse) => setImmediate(() => response.destroy());

const listeners: Readonly<Record<string, RequestListener>> = {
  "a signature": answering(200, good),
  "a signature in chunks": (_, response) => {
    response.write(good.slice(0, 20));
    setImmediate(() => response.end(good.slice(20)));
  },
  "a signature without a key id": answering(200, JSON.stringify({ Signature: "AQID" })),
  "a signature by the bare key id": answering(200, good.replace(/arn[^"]*key\//, "")),
  "a signature by another key": answering(200, good.replace("1234abcd", "ffffffff")),
  "a signature and more": answering(200, `{"Extra":{"a":[1]},${good.slice(1)}`),
  "a signature with white space": answering(200, ` \n${good}\n`),
  "a signature behind a byte order mark": answering(200, `\ufeff${good}`),
  "a signature and another": answering(200, good.replace("}", ',"Signature":"BAUG"}')),
  "a signature with status 201": answering(201, good),
  "a signature with status 299": answering(299, good),
  "a signature with status 300": answering(300, good),
  "a signature with a date": answering(200, good, { date: "Thu, 01 Jan 1970 00:00:00 GMT" }),
  "a signature as text": answering(200, good, { "content-type": "text/html" }),
  "a key id that is a number": answering(200, good.replace(/"arn[^"]*"/, "5")),
  "a key id that is null": answering(200, good.replace(/"arn[^"]*"/, "null")),
  "a key id that is empty": answering(200, good.replace(/"arn[^"]*"/, '""')),
  "no signature": answering(200, JSON.stringify({ KeyId: keyArn })),
  "an empty signature": answering(200, good.replace("AQID", "")),
  "a signature that is a number": answering(200, good.replace('"AQID"', "5")),
  "a signature that is null": answering(200, good.replace('"AQID"', "null")),
  "a signature that is no base64": answering(200, good.replace("AQID", "A*ID")),
  "a signature that is cut base64": answering(200, good.replace("AQID", "AQI")),
  "a signature in base64 of URLs": answering(200, good.replace("AQID", "_-8=")),
  "a signature with two paddings": answering(200, good.replace("AQID", "AQ==")),
  "a list": answering(200, "[1]"),
  null: answering(200, "null"),
  "a number": answering(200, "5"),
  "a string": answering(200, '"AQID"'),
  "nothing with status 200": answering(200, ""),
  "nothing with status 204": (_, response) => response.writeHead(204).end(),
  "half a JSON": answering(200, good.slice(0, 30)),
  "a web page with status 200": answering(200, "<html><body>Sign in</body></html>"),
  "bytes with status 200": answering(200, Buffer.from([0xff, 0xfe, 0x00, 0x7b])),
  "a redirection": answering(302, "", { location: "http://elsewhere.test/" }),
  "not modified": (_, response) => response.writeHead(304).end(),
  "a modelled exception": exception("DisabledException", "arn is disabled."),
  "an exception with a namespace": exception("com.amazonaws.kms#NotFoundException"),
  "an exception with a suffix": exception("KMSInvalidStateException:http://internal.amazon.com/coral/"),
  "an exception with both": exception("com.amazonaws.kms#DisabledException:http://internal/"),
  "an exception in a header": answering(400, "{}", { "x-amzn-errortype": "DisabledException:http://internal/" }),
  "an exception in a header and another in the body": exception("NotFoundException", "no", 400, {
    "x-amzn-errortype": "DisabledException",
  }),
  "an exception as code": answering(400, JSON.stringify({ code: "ThrottlingException", Message: "Slow down" })),
  "an exception that has no type": answering(400, JSON.stringify({ message: "no" })),
  "an exception whose type is a number": answering(400, JSON.stringify({ __type: 5, message: "no" })),
  "an exception whose message is an object": answering(400, JSON.stringify({ __type: "X", message: { a: 1 } })),
  "an exception without a message": answering(400, JSON.stringify({ __type: "DisabledException" })),
  "an unknown exception": exception("SomethingNewException"),
  "an unknown exception with status 500": exception("SomethingNewException", "no", 500),
  "an exception with status 200": exception("DisabledException", "no", 200),
  throttling: exception("ThrottlingException", "Rate exceeded"),
  "throttling that names a secret": exception("ThrottlingException", `no ${secret.secretAccessKey}`),
  "throttling with more members": answering(
    400,
    JSON.stringify({ __type: "ThrottlingException", message: "no", a: 1 }),
  ),
  "throttling without a message": answering(400, JSON.stringify({ __type: "ThrottlingException" })),
  "throttling in another status": exception("ThrottlingException", "Rate exceeded", 429),
  "throttling by another name in a header": exception("ThrottlingException", "Rate exceeded", 400, {
    "x-amzn-errortype": "DisabledException",
  }),
  "throttling with odd request ids": exception("ThrottlingException", "Rate exceeded", 400, {
    "x-amzn-requestid": "a b<c>",
  }),
  "throttling by a skewed clock": exception("ThrottlingException", "Rate exceeded", 400, { date: hourAhead() }),
  "a limit": exception("LimitExceededException", "You have exceeded the rate"),
  "KMS out of order": exception("KMSInternalException", "no", 500),
  "a dependency's timeout": exception("DependencyTimeoutException", "no", 503),
  "a refused key": exception("AccessDeniedException", "User is not authorized to perform kms:Sign"),
  "an unknown token": exception("UnrecognizedClientException", "The security token is invalid."),
  "an expired token": exception("ExpiredTokenException", "The security token is expired"),
  "a wrong signature that quotes the request": exception(
    "InvalidSignatureException",
    `wrong ${secret.sessionToken} and ${secret.secretAccessKey}\nThe Canonical String: x`,
    403,
  ),
  "a secret in a page": answering(502, `<html>${secret.secretAccessKey}</html>`),
  "a skewed clock": exception("InvalidSignatureException", "Signature expired", 400, { date: hourAhead() }),
  "a skewed clock by a cache": exception("InvalidSignatureException", "expired", 400, { date: hourAhead(), age: "5" }),
  "a refusal with a date that is none": exception("RequestTimeTooSkewed", "no", 403, { date: "yesterday" }),
  "no word with status 400": answering(400, ""),
  "no word with status 403": answering(403, ""),
  "no word with status 404": answering(404, ""),
  "no word with status 429": answering(429, ""),
  "no word with status 500": answering(500, ""),
  "no word with status 503": answering(503, ""),
  "a web page with status 502": answering(502, "<html><h1>Bad Gateway</h1></html>", { "content-type": "text/html" }),
  "a web page with status 403": answering(403, "<html>blocked</html>"),
  "a list with status 400": answering(400, "[]"),
  "null with status 400": answering(400, "null"),
  "another request id's name": (_, response) => response.writeHead(400, { "x-amz-request-id": "r-2" }).end("{}"),
  "two request ids": (_, response) =>
    response
      .writeHead(
        400,
        [
          ["x-amzn-requestid", "a"],
          ["x-amzn-requestid", "b"],
        ].flat(),
      )
      .end("{}"),
  "a broken connection": (_, response) => response.destroy(),
  "a connection that breaks after the headers": (_, response) => {
    response.writeHead(200, { "content-length": "500" }).flushHeaders();
    cut(response);
  },
  "a connection that breaks in the middle": (_, response) => {
    response.writeHead(200, { "content-length": String(good.length) }).write(good.slice(0, 20));
    cut(response);
  },
  "a connection that breaks in chunks": (_, response) => {
    response.write(good);
    cut(response);
  },
  "a refusal that breaks off": (_, response) => {
    response.writeHead(400, { "content-length": "500" }).write('{"__type":');
    cut(response);
  },
  "a signature in another version of HTTP": raw(`HTTP/1.0 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`),
  "a signature to the end of the connection": raw(`HTTP/1.1 200 OK\r\n\r\n${good}`),
  "two lengths": raw(`HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\nContent-Length: 5\r\n\r\n${good}`),
  "a length that is none": raw(`HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n${good}`),
  "a length and chunks": raw(
    `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${good.slice(0, 5)}\r\n0\r\n\r\n`,
  ),
  "bare line feeds": raw(`HTTP/1.1 200 OK\nContent-Length: ${good.length}\n\n${good}`),
  "a folded header": raw(`HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: ${good.length}\r\n\r\n${good}`),
  "a space before the colon": raw(`HTTP/1.1 200 OK\r\nContent-Length : ${good.length}\r\n\r\n${good}`),
  "a header twice": raw(`HTTP/1.1 200 OK\r\nX-A: b\r\nX-A: c\r\nContent-Length: ${good.length}\r\n\r\n${good}`),
  "an answer and more bytes": raw(
    `HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}HTTP/1.1 200 OK\r\n\r\n`,
  ),
  "an answer behind another to expect it": raw(
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`,
  ),
  "a protocol to switch to": raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
  "a head without end": raw(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(20_000)}`),
  "a signature that takes the connection with it": answering(200, good, { connection: "close" }),
  "a chunk of no length": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
  "nothing at all": raw(""),
  "an empty line": raw("\r\n\r\n"),
  "something that is not HTTP": (_, response) => response.socket?.end("SSH-2.0-OpenSSH_9.2\r\n"),
};

/** All that KMS documents for Sign and for every call, and what stands in its place in other services. */
const exceptions = [
  ["DependencyTimeoutException", 500],
  ["DisabledException", 400],
  ["DryRunOperationException", 400],
  ["InvalidGrantTokenException", 400],
  ["InvalidKeyUsageException", 400],
  ["KeyUnavailableException", 500],
  ["KMSInternalException", 500],
  ["KMSInvalidStateException", 400],
  ["NotFoundException", 400],
  ["AccessDeniedException", 400],
  ["ExpiredTokenException", 400],
  ["IncompleteSignature", 400],
  ["InternalFailure", 500],
  ["InvalidSignatureException", 400],
  ["LimitExceededException", 400],
  ["MalformedHttpRequestException", 400],
  ["MissingAuthenticationTokenException", 400],
  ["NotAuthorized", 400],
  ["OptInRequired", 403],
  ["RequestAbortedException", 400],
  ["RequestEntityTooLargeException", 413],
  ["RequestExpired", 400],
  ["RequestTimeoutException", 408],
  ["RequestTimeTooSkewed", 403],
  ["ServiceUnavailable", 503],
  ["SerializationException", 400],
  ["SlowDown", 503],
  ["Throttling", 400],
  ["ThrottledException", 400],
  ["ThrottlingException", 400],
  ["TooManyRequestsException", 429],
  ["UnknownOperationException", 400],
  ["UnrecognizedClientException", 400],
  ["ValidationException", 400],
] as const;

describe("the lean way's answers are the SDK's", async () => {
  const stage = await new Stage().open();
  const ways = await stage.ways();
  after(() => {
    stage.close();
    for (const way of ways) way.close();
  });

  for (const [title, listener] of Object.entries(listeners)) {
    it(title, async () => {
      const outcome = await stage.assertAlike(title.includes("skewed") ? await stage.ways() : ways, listener);
      assert.doesNotMatch(JSON.stringify(outcome), /a-secret-access-key|a-session-token/);
    });
  }

  for (const [name, status] of exceptions) {
    it(`${name}, with status ${status}`, async () => {
      await stage.assertAlike(ways, exception(name, `the words of ${name}`, status));
    });
  }

  for (const [title, listener] of Object.entries<RequestListener>({
    "no answer": () => undefined,
    "an answer that never ends": (_, response) => {
      response.writeHead(200, { "content-length": "500" }).write("{");
    },
    "a refusal that never ends": (_, response) => {
      response.writeHead(400).write("{");
    },
  })) {
    it(`${title}, in time`, async () => {
      await stage.assertAlike(await stage.ways(500), listener);
    });
  }

  it("an answer that is too large, told and untold", async () => {
    const announced = answering(200, good, { "content-length": String(64 * 1024 * 1024) });
    await stage.assertAlike(ways, announced);
    const five = " ".repeat(5 * 1024 * 1024);
    await stage.assertAlike(ways, (_, response) => response.writeHead(200).write(`${five}${good}`));
  });

  it("no server there", async () => {
    const closed = await new Stage().open();
    const [sdk, lean, own] = await closed.ways();
    closed.close();
    // Kept connections would be tried first.
    for (const way of [sdk, lean, own]) way.close();
    const expected = await sdk.sign();
    for (const way of [lean, own]) assert.deepEqual(await way.sign(), expected);
    assert.match(JSON.stringify(expected), /ECONNREFUSED.*"outcomeUnknown":false/);
  });

  it("a caller who gives up, before and during the call", async () => {
    for (const way of ways) {
      assert.match(JSON.stringify(await way.sign(AbortSignal.abort())), /"ABORTED".*"outcomeUnknown":false/);
      const stop = new AbortController();
      let isCut: Promise<void> = Promise.resolve();
      stage.listener = (request) => {
        isCut = new Promise((resolve) => request.socket.once("close", () => resolve()));
        stop.abort();
      };
      assert.match(JSON.stringify(await way.sign(stop.signal)), /"ABORTED".*"outcomeUnknown":true/);
      await isCut;
    }
  });

  it("whatever it is made of", async () => {
    const name = fc.constantFrom(
      "DisabledException",
      "aws#ThrottlingException",
      "NotFoundException:x",
      "KMSInternalException",
      "x y",
      "",
    );
    const value = fc.oneof(fc.string({ maxLength: 8 }), fc.integer(), fc.constant(null), fc.constant("AQID"), name);
    const members = fc.constantFrom("__type", "message", "Message", "code", "KeyId", "Signature", "SigningAlgorithm");
    const body = fc.oneof(
      fc.dictionary(members, value, { maxKeys: 5 }).map((object) => JSON.stringify(object)),
      fc.json(),
      fc.string(),
    );
    const status = fc.constantFrom(200, 200, 200, 201, 204, 301, 400, 400, 403, 404, 408, 413, 429, 500, 502, 503, 504);
    const header = fc.constantFrom("x-amzn-errortype", "x-amzn-requestid", "content-type", "x-amz-cf-id", "age");
    const headers = fc.dictionary(header, fc.stringMatching(/^[A-Za-z#:/-]{0,12}$/), { maxKeys: 3 });
    await fc.assert(
      fc.asyncProperty(status, body, headers, async (code, text, fields) => {
        await stage.assertAlike(ways, (_, response) => {
          response.writeHead(code, fields).end(text);
        });
      }),
      { seed: 20_261_122, numRuns: 150 },
    );
  });
});

/** When a request says it was signed. */
const signedAt = ({ headers }: IncomingMessage): number =>
  Date.parse(String(headers["x-amz-date"]).replace(/(....)(..)(..)T(..)(..)(..)Z/, "$1-$2-$3T$4:$5:$6Z"));

describe("the lean way", async () => {
  const stage = await new Stage().open();
  after(() => stage.close());

  /** A server that is so far ahead, and refuses what is not signed by its own clock. */
  const ahead =
    (ms: number): RequestListener =>
    (request, response) => {
      const now = Date.now() + ms;
      const date = new Date(now).toUTCString();
      const isRefused = Math.abs(signedAt(request) - now) > 300_000;
      const body = isRefused
        ? JSON.stringify({ __type: "InvalidSignatureException", message: "Signature expired" })
        : good;
      response.writeHead(isRefused ? 400 : 200, { date }).end(body);
    };

  for (const ms of [3_600_000, -3_600_000]) {
    it(`learns from one refusal that its clock is ${ms > 0 ? "slow" : "fast"}, and from any other call`, async () => {
      const ways = await stage.ways();
      assert.deepEqual(await stage.assertAlike(ways, ahead(ms)), [1, 2, 3]);
      assert.equal(stage.requests.length, 2, "one refused, one signed anew");
      for (const way of ways.slice(1)) {
        assert.deepEqual(await stage.outcome(way, ahead(ms)), { outcome: [1, 2, 3], requests: 1 });
        // What the SDK's client learns is known at once, and the other way round.
        way.sdk.config.systemClockOffset = 0;
        stage.listener = exception("NotFoundException", "no", 400, { date: new Date(Date.now() + ms).toUTCString() });
        await assert.rejects(way.kms.describeKey(keyArn));
        assert.deepEqual(await stage.outcome(way, ahead(ms)), { outcome: [1, 2, 3], requests: 1 });
      }
    });
  }

  it("learns the time from answers as the SDK does, and not from a cache's", async () => {
    const [sdk, ...others] = await stage.ways();
    for (const headers of [{ date: hourAhead() }, { date: hourAhead(), age: "1" }, { date: "yesterday" }]) {
      for (const way of [sdk, ...others]) {
        way.sdk.config.systemClockOffset = 0;
        await stage.outcome(way, answering(200, good, headers as Headers));
      }
      for (const way of others) {
        const difference = Math.abs(sdk.sdk.config.systemClockOffset - way.sdk.config.systemClockOffset);
        assert.ok(difference < 2_000, JSON.stringify(headers));
      }
    }
  });

  for (const title of ["lean", "own"] as const)
    it(`lets many be refused for a wrong clock together, and all be signed anew (${title})`, async () => {
      const lean = await stage.way(title);
      stage.listener = ahead(3_600_000);
      stage.requests.length = 0;
      const outcomes = await Promise.all(Array.from({ length: 40 }, () => lean.kms.sign(input)));
      assert.equal(outcomes.length, 40);
      assert.ok(stage.requests.length <= 80);
    });

  for (const title of ["lean", "own"] as const)
    it(`signs with the credentials of the moment, and learns anew with others (${title})`, async () => {
      const lean = await stage.way(title);
      const keyOf = (request: IncomingMessage | undefined) =>
        /Credential=([^/]+)/.exec(String(request?.headers.authorization))?.[1];
      for (const [credentials, bySdk] of [
        [{ accessKeyId: "AKIANEW", secretAccessKey: "new-secret" }, 1],
        [{ accessKeyId: "AKIANEW", secretAccessKey: "new-secret" }, 0],
        [{ accessKeyId: "AKIANEW", secretAccessKey: "other-secret" }, 1],
        [{ accessKeyId: "AKIANEW", secretAccessKey: "other-secret", sessionToken: "a-token" }, 1],
        [{ accessKeyId: "AKIANEW", secretAccessKey: "other-secret", sessionToken: "a-token" }, 0],
        [secret, 1],
      ] as const) {
        lean.credentials = credentials;
        assert.deepEqual(await stage.outcome(lean, answerWell), { outcome: [1, 2, 3], requests: 1 });
        assert.equal(lean.bySdk, bySdk);
        const [request] = stage.requests;
        assert.equal(keyOf(request), credentials.accessKeyId);
        assert.equal(request?.headers["x-amz-security-token"], Reflect.get(credentials, "sessionToken"));
      }
    });

  it("is ready before the first signature, without a request", async () => {
    const way = new Way("own", stage.endpoint, 5_000);
    stage.requests.length = 0;
    assert.equal((await way.prepare())?.hostname, "127.0.0.1");
    assert.equal(stage.requests.length, 0);
    assert.deepEqual(await stage.outcome(way, answerWell), { outcome: [1, 2, 3], requests: 1 });
    assert.equal(way.bySdk, 0);
    way.close();
  });

  it("tells credentials that are not to be had as the SDK does", async () => {
    const ways = await stage.ways();
    for (const way of ways) {
      Object.defineProperty(way, "credentials", {
        get() {
          throw new KmsError("no role", {
            code: "ACCESS_DENIED",
            operation: "AssumeRole",
            awsName: "AccessDenied",
            outcomeUnknown: false,
          });
        },
      });
    }
    const expected = await stage.outcome(ways[0], answerWell);
    for (const way of ways.slice(1)) assert.deepEqual(await stage.outcome(way, answerWell), expected);
    assert.match(JSON.stringify(expected), /no role/);
  });

  for (const title of ["lean", "own"] as const)
    it(`keeps connections (${title})`, async () => {
      const lean = await stage.way(title);
      const ports = new Set<number | undefined>();
      for (let index = 0; index < 5; index++) {
        await stage.outcome(lean, answerWell);
        ports.add(stage.requests[0]?.socket.remotePort);
      }
      assert.equal(ports.size, 1);
    });
});
