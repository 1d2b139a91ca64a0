/** The end of a request before its answer, and the caller's end in its two forms. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Cancellation } from "../../key-manager/ports.ts";
import { Cut } from "./cut.ts";
import { isStopped, offStop, onStop, type Stop, signalOf } from "./stop.ts";

describe("a cut", () => {
  it("is told once, to the one who listens by then", () => {
    const cut = new Cut();
    const told: string[] = [];
    cut.onCut = () => told.push("first");
    cut.onCut = () => told.push("second");
    cut.cut();
    cut.cut();
    assert.deepEqual([told, cut.isCut], [["second"], true]);
    const quiet = new Cut();
    quiet.onCut = () => told.push("third");
    quiet.onCut = undefined;
    quiet.cut();
    assert.deepEqual(told, ["second"]);
  });

  it("is a signal, too, whenever that is asked for", () => {
    const [before, after] = [new Cut(), new Cut()];
    const { signal } = before;
    assert.equal(signal.aborted, false);
    before.cut();
    after.cut();
    assert.deepEqual([signal.aborted, after.signal.aborted, before.signal === signal], [true, true, true]);
  });
});

/** As a server has it, without a server. */
class Ending implements Cancellation {
  readonly #listeners = new Set<() => void>();
  readonly #controller = new AbortController();
  isCancelled = false;
  readonly signal = this.#controller.signal;

  onCancel(listener: () => void): void {
    this.#listeners.add(listener);
  }

  offCancel(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  end(): void {
    this.isCancelled = true;
    this.#controller.abort();
    for (const listener of this.#listeners) listener();
  }
}

describe("a caller's end", () => {
  const ending = new Ending();
  const controller = new AbortController();
  for (const [title, stop, end] of [
    ["as a signal", controller.signal, () => controller.abort()],
    ["without one", ending, () => ending.end()],
  ] as readonly (readonly [string, Stop, () => void])[]) {
    it(`is told to who listens, ${title}`, () => {
      const told: string[] = [];
      const left = () => told.push("left");
      onStop(stop, left);
      onStop(stop, () => told.push("stayed"));
      offStop(stop, left);
      assert.deepEqual([isStopped(stop), signalOf(stop)?.aborted], [false, false]);
      end();
      assert.deepEqual([told, isStopped(stop), signalOf(stop)?.aborted], [["stayed"], true, true]);
    });
  }

  it("that nothing tells of does not come", () => {
    assert.deepEqual([isStopped(undefined), signalOf(undefined)], [false, undefined]);
  });
});
