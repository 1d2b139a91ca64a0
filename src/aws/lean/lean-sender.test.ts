/** The lean way: when it is taken, by which clock and credentials, and over which connections. */
import assert from "node:assert/strict";
import type { IncomingMessage, RequestListener } from "node:http";
import { after, describe, it } from "node:test";
import {
  answering,
  answerWell,
  exception,
  good,
  type Headers,
  hourAhead,
  Stage,
  secret,
  Way,
} from "../../../test/lean/stage.ts";
import { KmsError } from "../../key-manager/ports.ts";

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
        await assert.rejects(way.kms.deleteAlias("alias/a"));
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
      const outcomes = await Promise.all(Array.from({ length: 40 }, () => lean.call()));
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
