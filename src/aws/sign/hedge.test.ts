/** Second requests for late signatures: when they are made, how many, and what becomes of either. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Clock, KmsError, type KmsErrorCode } from "../../key-manager/ports.ts";
import { Cut } from "../calls/cut.ts";
import type { Reply } from "../lean/reply.ts";
import { HedgedSigning } from "./hedge.ts";

const members = {
  KeyId: "k",
  Message: new Uint8Array(32),
  SigningAlgorithm: "ECDSA_SHA_256",
  MessageType: "DIGEST",
} as const;

const failure = (code: KmsErrorCode) =>
  new KmsError(code, { code, operation: "Sign", awsName: code, outcomeUnknown: false });

interface Request {
  readonly cut: Cut;
  answer(name: string): void;
  fail(error: Error): void;
}

/** Time that goes on when it is told to. */
class Stage {
  nowMs = 1_000_000;
  hedges = 0;
  readonly requests: Request[] = [];
  #sleepers: { readonly until: number; readonly wake: () => void }[] = [];
  readonly clock: Clock = {
    now: () => new Date(this.nowMs),
    elapsedMs: () => this.nowMs,
    sleep: (ms) => new Promise((wake) => void this.#sleepers.push({ until: this.nowMs + ms, wake })),
    random: () => 0,
  };
  readonly hedged = new HedgedSigning(
    (_members, cut) =>
      new Promise<Reply>((resolve, reject) => {
        this.requests.push({
          cut,
          answer: (name) => resolve({ output: name, serverTime: undefined, requestId: undefined }),
          fail: reject,
        });
      }),
    { clock: this.clock, onHedge: () => this.hedges++ },
  );

  sign(cut = new Cut()): Promise<unknown> {
    return this.hedged.sign(members, cut).then(({ output }) => output);
  }

  async pass(ms: number): Promise<void> {
    for (const end = this.nowMs + ms; this.nowMs < end; this.nowMs += 10) {
      await new Promise(setImmediate);
      const due = this.#sleepers.filter(({ until }) => until <= this.nowMs);
      this.#sleepers = this.#sleepers.filter(({ until }) => until > this.nowMs);
      for (const { wake } of due) wake();
    }
    await new Promise(setImmediate);
  }

  /** Signatures that take so long, one after another. */
  async signWell(count: number, tookMs = 0): Promise<this> {
    for (let index = 0; index < count; index++) {
      const signed = this.sign();
      this.nowMs += tookMs;
      this.requests.at(-1)?.answer("well");
      await signed;
    }
    this.requests.length = 0;
    return this;
  }
}

describe("a late signature", () => {
  it("is asked for again after 200 ms; the first answer is taken and the other request is cut", async () => {
    for (const winner of [0, 1]) {
      const stage = await new Stage().signWell(100);
      const signed = stage.sign();
      await stage.pass(190);
      assert.equal(stage.requests.length, 1);
      await stage.pass(30);
      assert.deepEqual([stage.requests.length, stage.hedges], [2, 1]);
      stage.requests[winner]?.answer(`by ${winner}`);
      assert.equal(await signed, `by ${winner}`);
      assert.deepEqual(
        stage.requests.map(({ cut }) => cut.isCut),
        [winner === 1, winner === 0],
      );
      await stage.pass(1_000);
      assert.equal(stage.requests.length, 2, "never a third");
    }
  });

  it("is one that takes longer than nearly all of late", async () => {
    const stage = await new Stage().signWell(100, 500);
    void stage.sign();
    await stage.pass(490);
    assert.equal(stage.requests.length, 1);
    await stage.pass(30);
    assert.equal(stage.requests.length, 2);
  });

  it("is asked for again at most once in fifty, whatever is late", async () => {
    const stage = new Stage();
    for (let index = 0; index < 400; index++) {
      void stage.sign().catch(() => undefined);
      await stage.pass(20);
    }
    await stage.pass(1_000);
    assert.equal(stage.hedges, 8);
    assert.equal(stage.requests.length, 408);
  });

  it("is not asked for again for a minute after AWS throttled, nor near the rate at which it did", async () => {
    const stage = await new Stage().signWell(100, 9);
    const refused = assert.rejects(stage.sign(), { code: "THROTTLED" });
    stage.requests[0]?.fail(failure("THROTTLED"));
    await refused;
    void stage.sign();
    await stage.pass(59_000);
    void stage.sign();
    await stage.pass(300);
    assert.equal(stage.hedges, 0);
    await stage.pass(2_000);
    await stage.signWell(200, 5);
    void stage.sign();
    await stage.pass(250);
    assert.equal(stage.hedges, 0, "more in the last second than it lets through");
    await stage.pass(2_000);
    void stage.sign();
    await stage.pass(250);
    assert.equal(stage.hedges, 1, "a few a second");
  });

  it("fails as soon as a refusal is there, and with the first of two failures", async () => {
    for (const [codes, expected] of [
      [["DISABLED"], "DISABLED"],
      [["THROTTLED"], "THROTTLED"],
      [["UNAVAILABLE", "TIMEOUT"], "UNAVAILABLE"],
    ] as readonly [KmsErrorCode[], KmsErrorCode][]) {
      const stage = await new Stage().signWell(100);
      const refused = assert.rejects(stage.sign(), { code: expected });
      await stage.pass(220);
      for (const [index, code] of codes.entries()) stage.requests[index]?.fail(failure(code));
      await refused;
      assert.ok(stage.requests.slice(codes.length).every(({ cut }) => cut.isCut));
    }
  });

  it("is taken from one request when the other broke", async () => {
    const stage = await new Stage().signWell(100);
    const signed = stage.sign();
    await stage.pass(220);
    stage.requests[0]?.fail(failure("UNAVAILABLE"));
    stage.requests[1]?.answer("second");
    assert.equal(await signed, "second");
  });

  it("that failed before is not asked for again", async () => {
    const stage = await new Stage().signWell(100);
    const refused = assert.rejects(stage.sign(), { code: "UNAVAILABLE" });
    stage.requests[0]?.fail(failure("UNAVAILABLE"));
    await refused;
    await stage.pass(1_000);
    assert.equal(stage.hedges, 0);
  });

  it("is given up with its caller, in both requests", async () => {
    const stage = await new Stage().signWell(100);
    const stop = new Cut();
    void stage.sign(stop);
    await stage.pass(220);
    stop.cut();
    assert.deepEqual(
      stage.requests.map(({ cut }) => cut.isCut),
      [true, true],
    );
  });
});
