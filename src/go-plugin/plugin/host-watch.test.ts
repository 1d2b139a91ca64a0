/** How often a plugin looks whether its host still runs, in virtual time. */
import assert from "node:assert/strict";
import { beforeEach, describe, it, mock } from "node:test";
import { watchHost } from "./host-watch.ts";

describe("the watch over the host", () => {
  let isAlive = true;
  let looks = 0;
  let ends = 0;
  const watch = () =>
    watchHost({
      isAlive: () => {
        looks += 1;
        return isAlive;
      },
      onEnd: () => {
        ends += 1;
      },
    });

  beforeEach(() => {
    mock.timers.reset();
    mock.timers.enable({ apis: ["setTimeout"] });
    [isAlive, looks, ends] = [true, 0, 0];
  });

  const passMs = (ms: number) => {
    for (let passed = 0; passed < ms; passed += 100) mock.timers.tick(100);
  };

  it("wakes an idle process twelve times a minute", () => {
    watch();
    passMs(20_000);
    looks = 0;
    passMs(60_000);
    assert.equal(looks, 12);
  });

  it("sees at once the end of a host that dies while it starts its plugin", () => {
    watch();
    passMs(1_000);
    isAlive = false;
    passMs(100);
    assert.equal(ends, 1);
  });

  it("sees the end of a host that never connected within five seconds, and says it once", () => {
    watch();
    passMs(20_000);
    isAlive = false;
    passMs(5_000);
    assert.equal(ends, 1);
    passMs(60_000);
    assert.equal(ends, 1);
  });

  it("looks often for ten seconds after a connection has closed, and then is calm again", () => {
    const { suspect } = watch();
    passMs(20_000);
    suspect();
    looks = 0;
    passMs(10_000);
    assert.ok(looks > 90, `${looks} looks`);
    passMs(10_000);
    looks = 0;
    passMs(60_000);
    assert.equal(looks, 12);
    suspect();
    passMs(300);
    isAlive = false;
    passMs(100);
    assert.equal(ends, 1);
  });

  it("ends at once when the host has ended with its connection", () => {
    const { suspect } = watch();
    isAlive = false;
    suspect();
    suspect();
    assert.equal(ends, 1);
  });
});
