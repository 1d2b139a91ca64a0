/** The queue that schedules keys for deletion: looks, retries, bounds, and what it never takes. */
import assert from "node:assert/strict";
import { beforeEach, describe, it } from "node:test";
import { seededRandom, settled, VirtualTime } from "../../../test/simulation/virtual-time.ts";
import type { DeletionRequest } from "../deletions.ts";
import { type KmsClient, KmsError, type KmsErrorCode, type LogFields, type ScheduledDeletion } from "../ports.ts";
import { DeletionQueue } from "./deletion-queue.ts";

const failure = (code: KmsErrorCode, message = "no", operation = "ScheduleKeyDeletion") =>
  new KmsError(message, { code, operation, awsName: code, outcomeUnknown: false });

describe("DeletionQueue", () => {
  let time: VirtualTime;
  let log: { level: string; message: string; fields: LogFields }[];
  let scheduled: string[];
  /** What ScheduleKeyDeletion answers, in turn; afterwards it succeeds. */
  let answers: (KmsError | "held")[];
  let inUse: Set<string>;
  let underWay: number;
  let most: number;
  let queue: DeletionQueue;
  /** What DeleteAlias answers, in turn; afterwards it succeeds. */
  let aliasAnswers: KmsError[];
  let deletedAliases: number;

  beforeEach(() => {
    time = new VirtualTime(Date.UTC(2026, 0, 1));
    log = [];
    scheduled = [];
    answers = [];
    aliasAnswers = [];
    deletedAliases = 0;
    inUse = new Set();
    underWay = 0;
    most = 0;
    queue = makeQueue();
  });

  function makeQueue(capacity?: number): DeletionQueue {
    const line =
      (level: string) =>
      (message: string, fields: LogFields = {}) =>
        log.push({ level, message, fields });
    return new DeletionQueue({
      clock: time.clockFor(undefined, seededRandom(1)),
      log: { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
      isInUse: (keyArn) => inUse.has(keyArn),
      ...(capacity === undefined ? {} : { capacity }),
    });
  }

  const kms = {
    async scheduleKeyDeletion(keyArn: string, days: number): Promise<ScheduledDeletion> {
      underWay++;
      most = Math.max(most, underWay);
      const answer = answers.shift();
      try {
        if (answer === "held") await time.sleep(1_000);
        else if (answer !== undefined) throw answer;
      } finally {
        underWay--;
      }
      scheduled.push(keyArn);
      return { deletionDate: new Date(time.now + days * 86_400_000), requestId: `request-${keyArn}` };
    },
    async describeKey(keyId: string) {
      const deletionDate = new Date(0);
      return { keyId, arn: keyId.startsWith("alias/") ? "k" : keyId, keyState: "Enabled", deletionDate };
    },
    async *listAliases() {
      yield { items: [], serverTime: new Date(time.now) };
    },
    async deleteAlias() {
      deletedAliases++;
      const answer = aliasAnswers.shift();
      if (answer !== undefined) throw answer;
    },
  } as unknown as KmsClient;

  const key = (keyArn: string, more: Partial<DeletionRequest> = {}): DeletionRequest => ({
    kms,
    keyArn,
    aliasName: "alias/x",
    pendingWindowInDays: 7,
    rule: "rotated",
    mayStay: () => undefined,
    ...more,
  });
  const said = (message: RegExp, level?: string) =>
    log.filter((entry) => message.test(entry.message) && (level === undefined || entry.level === level));

  it("schedules a key, with one line that has all of it", async () => {
    void queue.schedule(key("k", { details: { age: "3h" } }));
    await settled();
    assert.deepEqual(scheduled, ["k"]);
    assert.equal(queue.size, 0);
    const [line, ...more] = said(/./, "info");
    assert.deepEqual(more, []);
    assert.deepEqual(line?.fields, {
      age: "3h",
      key_arn: "k",
      alias_name: "alias/x",
      rule: "rotated",
      deletion_date: "2026-01-08T00:00:00.000Z",
      request_id: "request-k",
    });
  });

  it("takes a key once, and knows which it has", async () => {
    answers = [failure("THROTTLED")];
    void queue.schedule(key("k"));
    void queue.schedule(key("k"));
    await settled();
    assert.ok(queue.has("k"));
    assert.equal(queue.size, 1);
    await time.run(60_000);
    assert.deepEqual(scheduled, ["k"]);
    assert.ok(!queue.has("k"));
  });

  for (const code of ["THROTTLED", "UNAVAILABLE", "TIMEOUT", "ACCESS_DENIED", "UNAUTHENTICATED"] as const) {
    it(`tries again after ${code}, later each time, and drops nothing`, async () => {
      answers = Array.from({ length: 8 }, () => failure(code));
      const keys = Array.from({ length: 200 }, (_, index) => `k${index}`);
      for (const keyArn of keys) void queue.schedule(key(keyArn));
      await time.run(3_600_000);
      assert.deepEqual(scheduled.toSorted(), keys.toSorted());
      assert.ok(said(/^Failed to schedule key deletion/, "warn").length >= 1);
    });
  }

  it("makes at most four attempts at once", async () => {
    answers = Array.from({ length: 40 }, () => "held" as const);
    for (let index = 0; index < 40; index++) void queue.schedule(key(`k${index}`));
    await time.run(20_000);
    assert.equal(scheduled.length, 40);
    assert.equal(most, 4);
  });

  it("gives up after a day, says so, and remembers it for the scans", async () => {
    answers = Array.from({ length: 10_000 }, () => failure("ACCESS_DENIED"));
    void queue.schedule(key("k"));
    await time.run(25 * 3_600_000);
    assert.equal(queue.size, 0);
    assert.equal(said(/^Key deletion gave up/, "error").length, 1);
    assert.ok(queue.hasFailed("k"));
    const attempts = 10_000 - answers.length;
    assert.ok(attempts > 50 && attempts < 250, `${attempts} attempts`);
    answers = [];
    void queue.schedule(key("k"));
    await time.run(1_000);
    assert.deepEqual(scheduled, ["k"]);
    assert.ok(!queue.hasFailed("k"));
  });

  it("is content with a key that no longer exists, or is pending already", async () => {
    answers = [failure("NOT_FOUND"), failure("INVALID_STATE", "k is pending deletion.")];
    void queue.schedule(key("deleted"));
    void queue.schedule(key("pending"));
    await time.run(60_000);
    assert.equal(queue.size, 0);
    assert.deepEqual(scheduled, []);
    const [line] = said(/^Key is scheduled for deletion already$/, "info");
    assert.equal(line?.fields.deletion_date, new Date(0).toISOString());
  });

  it("tries again when the key is in another state, or when a step before says what only looks like it", async () => {
    answers = [failure("INVALID_STATE", "k is updating.")];
    void queue.schedule(key("updating"));
    let attempts = 0;
    const markInactive = async () => {
      attempts++;
      if (attempts === 1) throw failure("INVALID_STATE", "the new key is pending deletion.", "UpdateAlias");
      if (attempts === 2) throw failure("NOT_FOUND", "no such alias", "UpdateAlias");
      return undefined;
    };
    void queue.schedule(key("other", { markInactive }));
    await time.run(60_000);
    assert.deepEqual(scheduled.toSorted(), ["other", "updating"]);
    assert.equal(attempts, 3);
  });

  describe("a key that is marked inactive first", () => {
    let marks: string[];
    beforeEach(() => {
      marks = [];
    });
    const marking = (answer: "active" | "inactive" | "pending deletion" = "active") => ({
      markInactive: async () => {
        marks.push("inactive");
        return async () => {
          marks.push("active");
          return answer;
        };
      },
    });

    it("is active again whenever it could not be scheduled, and stays inactive once it is", async () => {
      answers = [failure("THROTTLED"), failure("ACCESS_DENIED")];
      void queue.schedule(key("k", marking()));
      await time.run(60_000);
      assert.deepEqual(marks, ["inactive", "active", "inactive", "active", "inactive"]);
      assert.deepEqual(scheduled, ["k"]);
    });

    it("stays inactive if it is our own: it was replaced", async () => {
      answers = [failure("THROTTLED")];
      void queue.schedule(key("k", { ...marking(), isOwn: true }));
      await time.run(60_000);
      assert.deepEqual(marks, ["inactive", "inactive"]);
    });

    for (const isOwn of [true, false]) {
      it(`is active again when it came into use meanwhile (isOwn: ${isOwn})`, async () => {
        const { markInactive } = marking();
        const late = async () => {
          inUse.add("k");
          return markInactive();
        };
        assert.equal(await queue.schedule(key("k", { markInactive: late, isOwn })), "in use");
        assert.deepEqual(marks, ["inactive", "active"]);
        assert.deepEqual(scheduled, []);
      });
    }

    it("is scheduled after all when KMS says so to who would mark it active", async () => {
      answers = [failure("TIMEOUT")];
      const outcome = await queue.schedule(key("k", marking("pending deletion")));
      assert.equal(outcome, "scheduled");
      assert.deepEqual(scheduled, [], "not a second time");
      assert.equal(said(/^Key is scheduled for deletion already$/, "info").length, 1);
    });

    it("is not marked active where KMS knows no such key", async () => {
      answers = [failure("NOT_FOUND")];
      assert.equal(await queue.schedule(key("k", marking())), "not found");
      assert.deepEqual(marks, ["inactive"]);
    });
  });

  it("reads again before each look what its rule goes by, and waits where that fails", async () => {
    const steps: string[] = [];
    answers = [failure("THROTTLED")];
    let isFirst = true;
    void queue.schedule(
      key("k", {
        beforeLook: async () => {
          steps.push("read");
          if (isFirst) {
            isFirst = false;
            throw failure("ACCESS_DENIED", "no", "GetResources");
          }
        },
        mayStay: () => {
          steps.push("judged");
          return undefined;
        },
      }),
    );
    await time.run(60_000);
    assert.deepEqual(steps, ["read", "read", "judged", "read", "judged"]);
    assert.deepEqual(scheduled, ["k"]);
  });

  it("says at error what KMS will never take", async () => {
    answers = [failure("INVALID_REQUEST")];
    void queue.schedule(key("k"));
    await time.run(60_000);
    assert.equal(queue.size, 0);
    assert.equal(said(/^KMS will not schedule/, "error").length, 1);
  });

  it("never schedules a key in use, whoever asked, not even when it came into use during the last look", async () => {
    inUse.add("k");
    void queue.schedule(key("k"));
    void queue.schedule(
      key("late", {
        markInactive: async () => {
          inUse.add("late");
          return undefined;
        },
      }),
    );
    await time.run(60_000);
    assert.deepEqual(scheduled, []);
    assert.equal(said(/in use/, "error").length, 2);
  });

  it("takes the last look at each attempt, and lets the key stay when that says so", async () => {
    answers = [failure("THROTTLED")];
    const looks: boolean[] = [];
    const outcome = queue.schedule(
      key("k", { mayStay: () => (looks.push(true) < 2 ? undefined : "it is wanted again") }),
    );
    await time.run(60_000);
    assert.equal(await outcome, "spared");
    assert.equal(looks.length, 2);
    assert.equal(said(/is to stay after all/, "info")[0]?.fields.reason, "it is wanted again");
    assert.deepEqual(scheduled, []);
    assert.equal(queue.size, 0);
  });

  it("does what comes after until it is done, without scheduling again", async () => {
    aliasAnswers = [failure("THROTTLED", "no", "DeleteAlias"), failure("UNAVAILABLE", "no", "DeleteAlias")];
    void queue.schedule(key("k", { staleAlias: "alias/x" }));
    await time.run(60_000);
    assert.equal(deletedAliases, 3);
    assert.deepEqual(scheduled, ["k"]);
    assert.equal(said(/^Failed/, "warn").length, 0);
  });

  it("refuses what is beyond its bounds, at error, with the ARN", async () => {
    queue = makeQueue(2);
    answers = [failure("THROTTLED"), failure("THROTTLED"), failure("THROTTLED")];
    for (const keyArn of ["a", "b", "c"]) void queue.schedule(key(keyArn));
    assert.equal(queue.size, 2);
    assert.equal(said(/^Too many keys wait/, "error")[0]?.fields.key_arn, "c");
    await time.run(60_000);
  });

  it("flushes while it may, then names what is left and stops", async () => {
    answers = Array.from({ length: 100 }, () => failure("THROTTLED"));
    void queue.schedule(key("k"));
    const giveUp = new AbortController();
    const flushed = queue.flush(giveUp.signal);
    await time.run(10_000);
    giveUp.abort();
    await flushed;
    queue.close();
    assert.equal(said(/^Key not yet scheduled/, "warn")[0]?.fields.key_arn, "k");
    const tried = answers.length;
    await time.run(3_600_000);
    assert.equal(answers.length, tried);
    assert.equal(said(/gave up/).length, 0);
  });
});
