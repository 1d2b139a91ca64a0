/** The tags of new, used and scheduled keys, and what a failure to tag stops. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { VirtualTime } from "../../../test/simulation/virtual-time.ts";
import { KeyManagerError } from "../errors.ts";
import { type KmsClient, KmsError, type KmsErrorCode, type LogFields, type Tag } from "../ports.ts";
import { KeyTagging } from "./tag-mode.ts";

const time = new VirtualTime(Date.UTC(2026, 2, 1));
const clock = time.clockFor(undefined, () => 0);
const identity = { trustDomain: "example.org", serverId: "a" };
const failure = (code: KmsErrorCode) => refusal(code, "no");
const refusal = (code: KmsErrorCode, message: string) =>
  new KmsError(message, { code, operation: "TagResource", awsName: code, outcomeUnknown: false });

/** A KMS that knows TagResource only, which answers so. */
function stage(answer?: KmsError) {
  /** What the next calls meet; afterwards `answer`. */
  const later: KmsError[] = [];
  const calls: (readonly [keyArn: string, tags: string])[] = [];
  const lines: (readonly [level: string, fields: LogFields])[] = [];
  const line =
    (level: string) =>
    (_: string, fields: LogFields = {}) =>
      lines.push([level, fields]);
  const log = { debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") };
  const kms = {
    async tagResource(keyArn: string, tags: readonly Tag[]) {
      calls.push([keyArn, tags.map(({ key, value }) => `${key}=${value}`).join(" ")]);
      const thrown = later.shift() ?? answer;
      if (thrown !== undefined) throw thrown;
    },
  } as unknown as KmsClient;
  return { kms, log, clock, calls, lines, later };
}

const keyTags = [{ key: "Team", value: "security" }];
const entry = { keyArn: "k", keyId: "x509-CA-A" };

describe("KeyTagging", () => {
  it("give new keys the operator's tags and the plugin's five; without tag mode only the operator's", () => {
    const on = new KeyTagging({ ...stage(), keyTags, identity }).tagsFor("x509-CA-A");
    assert.deepEqual(on.map(({ key }) => key).sort(), [
      "Team",
      "spire-active",
      "spire-key-id",
      "spire-last-update",
      "spire-server-id",
      "spire-server-td",
    ]);
    assert.deepEqual(new KeyTagging({ ...stage(), keyTags, identity: undefined }).tagsFor("x509-CA-A"), keyTags);
  });

  it("refuse a key id that does not fit into a tag, before a key is made", () => {
    const tagging = new KeyTagging({ ...stage(), keyTags, identity });
    for (const keyId of ["x".repeat(257), "%".repeat(86)]) {
      assert.throws(
        () => tagging.tagsFor(keyId),
        (error) => error instanceof KeyManagerError && error.code === "INVALID_ARGUMENT",
      );
    }
    assert.equal(tagging.tagsFor("50%").length, 6);
    assert.equal(tagging.tagsFor("spire-x").length, 6, "only names of tags are reserved");
    assert.equal(new KeyTagging({ ...stage(), keyTags, identity: undefined }).tagsFor("a*b").length, 1);
  });

  it("mark a key inactive before it goes; what may pass is thrown, so that the deletion waits", async () => {
    const quiet = stage();
    await new KeyTagging({ ...quiet, keyTags, identity }).markInactive("k");
    assert.deepEqual(quiet.calls, [["k", "spire-active=false"]]);
    for (const code of ["THROTTLED", "UNAVAILABLE", "TIMEOUT"] as const) {
      await assert.rejects(new KeyTagging({ ...stage(failure(code)), keyTags, identity }).markInactive("k"), { code });
    }
    for (const code of ["NOT_FOUND", "INVALID_STATE"] as const) {
      const lost = stage(failure(code));
      await new KeyTagging({ ...lost, keyTags, identity }).markInactive("k");
      assert.deepEqual(lost.lines, []);
    }
    const denied = stage(failure("ACCESS_DENIED"));
    await new KeyTagging({ ...denied, keyTags, identity }).markInactive("k");
    assert.match(String(denied.lines[0]?.[1].reason), /allow kms:TagResource/);
    const off = stage();
    await new KeyTagging({ ...off, keyTags, identity: undefined }).markInactive("k");
    assert.deepEqual(off.calls, []);
  });

  it("take the mark back, and tell when the key is pending deletion by then", async () => {
    const quiet = stage();
    const takeBack = await new KeyTagging({ ...quiet, keyTags, identity }).markInactive("k");
    assert.equal(await takeBack?.(), "active");
    assert.deepEqual(quiet.calls[1], ["k", "spire-active=true"]);
    for (const [answer, outcome, told] of [
      [refusal("INVALID_STATE", "k is pending deletion."), "pending deletion", 0],
      [refusal("THROTTLED", "slow down"), "inactive", 1],
    ] as const) {
      const busy = stage();
      const after = await new KeyTagging({ ...busy, keyTags, identity }).markInactive("k");
      busy.later.push(answer);
      assert.equal(await after?.(), outcome);
      assert.equal(busy.lines.filter(([level]) => level === "warn").length, told);
    }
  });

  it("claim a key that a replica made, and never reject", async () => {
    const quiet = stage();
    await new KeyTagging({ ...quiet, keyTags, identity }).claim(entry);
    assert.match(
      quiet.calls[0]?.[1] ?? "",
      /spire-server-td=example\.org .*spire-key-id=x509-CA-A .*spire-active=true/,
    );
    const denied = stage(failure("ACCESS_DENIED"));
    await new KeyTagging({ ...denied, keyTags, identity }).claim(entry);
    assert.equal(denied.lines[0]?.[0], "warn");
    const off = stage();
    await new KeyTagging({ ...off, keyTags, identity: undefined }).claim(entry);
    assert.deepEqual(off.calls, []);
  });
});

describe("KeyTagging.retag", () => {
  it("brings the operator's tags onto each key; what fails is told and stops nothing", async () => {
    const quiet = stage();
    await new KeyTagging({ ...quiet, keyTags, identity: undefined }).retag(["k", "l"], undefined);
    assert.deepEqual(quiet.calls, [
      ["k", "Team=security"],
      ["l", "Team=security"],
    ]);
    const denied = stage(failure("ACCESS_DENIED"));
    await new KeyTagging({ ...denied, keyTags, identity: undefined }).retag(["k", "l"], undefined);
    assert.deepEqual(
      denied.lines.map(([level, { key_arn }]) => [level, key_arn]),
      [
        ["error", "k"],
        ["error", "l"],
      ],
    );
  });

  it("asks nothing of KMS without tags", async () => {
    const quiet = stage();
    await new KeyTagging({ ...quiet, keyTags: [], identity: undefined }).retag(["k"], undefined);
    assert.deepEqual(quiet.calls, []);
  });
});
