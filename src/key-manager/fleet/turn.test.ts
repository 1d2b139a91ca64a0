/** The order of servers in a round: the same for all who work it out, another one each round. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { predecessors } from "./turn.ts";

const serverIds = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 30 });

describe("turns", () => {
  it("give each round exactly one server that has none before it", () => {
    fc.assert(
      fc.property(fc.string(), serverIds, (round, servers) => {
        const first = servers.filter((own) => predecessors(round, own, servers).length === 0);
        assert.equal(first.length, 1);
        const lengths = servers.map((own) => predecessors(round, own, servers).length);
        assert.deepEqual(new Set(lengths), new Set(servers.keys()));
      }),
    );
  });

  it("leave one server without a living one before it, whoever is dead and whoever each of them has not heard of", () => {
    fc.assert(
      fc.property(fc.string(), serverIds, fc.infiniteStream(fc.boolean()), (round, servers, coin) => {
        const toss = () => coin.next().value === true;
        const alive = new Set(servers.filter(toss));
        const scanning = [...alive].filter((own) => {
          const known = servers.filter(toss);
          return !predecessors(round, own, known).some((server) => alive.has(server));
        });
        assert.ok(alive.size === 0 || scanning.length > 0);
      }),
    );
  });

  it("go round: in a thousand rounds each of fifty servers is first some times", () => {
    const servers = Array.from({ length: 50 }, (_, index) => `server-${index}`);
    const turns = new Map<string | undefined, number>();
    for (let round = 0; round < 1_000; round++) {
      const first = servers.find((own) => predecessors(`scan ${round}`, own, servers).length === 0);
      turns.set(first, (turns.get(first) ?? 0) + 1);
    }
    assert.equal(turns.size, 50);
    assert.ok(Math.max(...turns.values()) < 50, "no server has the lion's share");
  });
});
