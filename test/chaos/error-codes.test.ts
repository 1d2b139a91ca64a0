/** What SPIRE and its operator are told when AWS does not do what it is asked for. */
import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import type { Fault } from "../../src/kms-emulator/index.ts";
import type { StatusCode } from "../../src/plugin-sdk/index.ts";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { expectStatus } from "../plugin/harness/status.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { signOnce } from "./load.ts";
import { reportTable } from "./report.ts";

const keyId = "x509-CA-A";
const requestId = /\(request id [0-9a-f-]{36}\)/;

interface Refusal {
  readonly title: string;
  /** What AWS does to every Sign. */
  readonly fault: Fault;
  readonly code: StatusCode;
  /** What an operator is told to do. */
  readonly advice: RegExp;
  /** Whether AWS has answered, and so has told a request id. */
  readonly isAnswered: boolean;
}

const error = (name: string, message = "no"): Fault => ({ kind: "error", name, message });

const refusals: readonly Refusal[] = [
  {
    title: "the key is disabled",
    fault: error("DisabledException", "arn:aws:kms:... is disabled."),
    code: "FAILED_PRECONDITION",
    advice: /enable the key again/,
    isAnswered: true,
  },
  {
    title: "the key is pending deletion",
    fault: error("KMSInvalidStateException", "arn:aws:kms:... is pending deletion."),
    code: "FAILED_PRECONDITION",
    advice: /cancel the deletion/,
    isAnswered: true,
  },
  {
    title: "a permission is missing",
    fault: error("AccessDeniedException"),
    code: "PERMISSION_DENIED",
    advice: /allow kms:Sign/,
    isAnswered: true,
  },
  {
    title: "the session has expired",
    fault: error("ExpiredTokenException"),
    code: "UNAUTHENTICATED",
    advice: /the credentials have expired: renew the session token/,
    isAnswered: true,
  },
  {
    title: "AWS throttles",
    fault: { kind: "throttle", perSecond: 0 },
    code: "RESOURCE_EXHAUSTED",
    advice: /quota/,
    isAnswered: true,
  },
  {
    title: "KMS has a fault",
    fault: error("KMSInternalException"),
    code: "UNAVAILABLE",
    advice: /check the network/,
    isAnswered: true,
  },
  {
    title: "the connection is cut",
    fault: { kind: "reset" },
    code: "UNAVAILABLE",
    advice: /check the network/,
    isAnswered: false,
  },
];

describe("error codes that tell, over the real wire", () => {
  const stage = useStage();
  const rows: string[][] = [];
  let plugin: TestPlugin;

  before(async () => {
    plugin = await stage.start();
    await plugin.configure();
    await plugin.generate(keyId);
  });

  const sign = () => signMessage(plugin, keyId, Buffer.from("message"), "sha256");
  const note = (title: string, code: StatusCode, details: string) =>
    rows.push([
      title,
      `\`${code}\``,
      details.replace(/arn:aws:kms:\S+key\/[0-9a-f-]+/g, "ARN").replace(/[0-9a-f-]{36}/g, "…"),
    ]);

  for (const { title, fault, code, advice, isAnswered } of refusals) {
    it(`${title}: ${code}, with the request id and the advice`, async () => {
      const handle = stage.kms.fault({ ...fault, operation: "Sign" });
      const words = isAnswered ? [advice, requestId] : [advice];
      note(title, code, await expectStatus(sign(), code, ...words, /x509-CA-A/, /arn:aws:kms:/));
      handle.remove();
      await sign();
    });
  }

  it("an id that is not there: NOT_FOUND", async () => {
    note(
      "an unknown id",
      "NOT_FOUND",
      await expectStatus(signMessage(plugin, "unknown", Buffer.from("m"), "sha256"), "NOT_FOUND"),
    );
  });

  /** A signature that KMS holds until after its caller's deadline. A machine so slow that the call is late is given longer. */
  async function signPastDeadline(): Promise<string> {
    for (let timeoutMs = 400; timeoutMs < 60_000; timeoutMs *= 4) {
      const held = stage.kms.pause({ operation: "Sign", when: "before" });
      const request = { keyId, data: Buffer.alloc(32), signerOpts: { case: "hashAlgorithm", value: 5 } } as const;
      const details = expectStatus(plugin.keyManager.signData(request, { timeoutMs }), "DEADLINE_EXCEEDED");
      const isInTime = await Promise.race([held.reached.then(() => true), details.then(() => false)]);
      const said = await details;
      held.release();
      if (isInTime) return said;
    }
    return assert.fail("no call reached KMS before its deadline");
  }

  it("KMS is slow: DEADLINE_EXCEEDED at the caller's deadline, and the work at KMS is stopped", async () => {
    note("the deadline passes", "DEADLINE_EXCEEDED", (await signPastDeadline()).replace(/after .*/, ""));
    stage.kms.forgetCalls();
    await sign();
    assert.equal(stage.kms.calls("Sign").length, 1, "nothing is tried again for a caller who has given up");
  });

  it("the ceiling on new keys: RESOURCE_EXHAUSTED, and what to look for", async () => {
    await plugin.configure({ max_keys_created_per_hour: 1 });
    const details = await expectStatus(plugin.generate("x509-CA-B"), "RESOURCE_EXHAUSTED", /max_keys_created_per_hour/);
    note("too many keys in an hour", "RESOURCE_EXHAUSTED", details.replace(/ \d+ min$/, " … min"));
    await plugin.configure({ max_live_keys: 1 });
    note(
      "too many keys at all",
      "RESOURCE_EXHAUSTED",
      await expectStatus(plugin.generate("x509-CA-C"), "RESOURCE_EXHAUSTED", /max_live_keys is 1/),
    );
    await plugin.configure();
  });

  it("slow KMS never piles up without bound: beyond the queue callers are refused at once", async () => {
    const slowness = stage.kms.fault({ kind: "delay", ms: 60_000, operation: "Sign" });
    const room = 128 + 1_024;
    const tooMany = 40;
    const stop = new AbortController();
    const request = { keyId, data: Buffer.alloc(32), signerOpts: { case: "hashAlgorithm", value: 5 } } as const;
    const words = new Set<string>();
    let refused = 0;
    const call = () =>
      plugin.keyManager
        .signData(request, { timeoutMs: 170_000, signal: stop.signal })
        .catch(({ code, details }: { code: string; details: string }) => {
          if (code !== "RESOURCE_EXHAUSTED") return;
          refused++;
          words.add(details);
        });
    const calls = Array.from({ length: room }, call);
    // Where calls end for want of an answer before all are there, there is room again for as many.
    while (refused < tooMany) {
      const more = Array.from({ length: tooMany }, call);
      calls.push(...more);
      await Promise.race([Promise.all(more), delay(2_000)]);
    }
    assert.match([...words][0] ?? "", /TooManyCallsUnderWay/);
    assert.ok((await plugin.fingerprints()).has(keyId), "other calls go on");
    await plugin.generate("JWT-Signer-A");
    stop.abort();
    await Promise.all(calls);
    slowness.remove();
    // The plugin hears of the cancellations one after another.
    while ((await signOnce(plugin, keyId))[0] !== "OK") await delay(10);
    note("more callers than may wait", "RESOURCE_EXHAUSTED", [...words][0] ?? "");
  });

  it("is written down", () => {
    reportTable("errors", ["what happens", "code", "what SPIRE's log says"], rows);
    assert.ok(rows.length >= refusals.length + 4);
  });
});
