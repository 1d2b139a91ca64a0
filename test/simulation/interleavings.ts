/**
 * All orders in which the calls of concurrent servers can reach KMS, one after another: each call waits at a gate until
 * the order that is being tried lets it through.
 */
import type { SimulatedAccount } from "./simulated-account.ts";
import type { SimulatedServer } from "./simulated-server.ts";
import { settled } from "./virtual-time.ts";

export interface Scene {
  readonly account: SimulatedAccount;
  readonly servers: readonly SimulatedServer[];
  /** What goes on at the same time; settles when it is over. */
  readonly act: () => Promise<unknown>;
  /** Once everything is quiet. @throws what is wrong */
  readonly check: () => Promise<void>;
}

/** Whatever the order, the same comes of them: they are about keys that no other process knows of, or that stay. */
const independent = new Set(["CreateKey", "GetPublicKey"]);

interface Waiting {
  readonly operation: string;
  readonly go: () => void;
}

interface Decision {
  readonly choice: number;
  readonly options: number;
}

/** Lives through the scene with these choices, and the first of all that wait after them. */
async function play({ account, servers, act, check }: Scene, choices: readonly number[]): Promise<readonly Decision[]> {
  const waiting: Waiting[] = [];
  const decisions: Decision[] = [];
  for (const server of servers) {
    server.gate = (operation) => new Promise((go) => waiting.push({ operation, go }));
  }
  let isOver = false;
  void act()
    .catch(() => undefined)
    .finally(() => {
      isOver = true;
    });
  const end = account.time.now + 10 * 60_000;
  // Some of what the scene sets off goes on behind it: the deletion queue, a last look after half a minute.
  for (;;) {
    await settled();
    if (waiting.length === 0) {
      if (account.time.now >= end) break;
      await account.time.runToNext(end);
      continue;
    }
    const free = waiting.findIndex(({ operation }) => independent.has(operation));
    const choice = free >= 0 ? free : waiting.length > 1 ? (choices[decisions.length] ?? 0) : 0;
    decisions.push({ choice, options: free >= 0 ? 0 : waiting.length });
    waiting.splice(choice, 1)[0]?.go();
  }
  if (!isOver) throw new Error("it does not come to an end");
  for (const server of servers) server.gate = undefined;
  await check();
  return decisions;
}

/** @returns how many orders there were; all of them, unless that would be more than `limit` */
export async function everyOrder(makeScene: () => Promise<Scene>, limit = 2_000): Promise<number> {
  let choices: readonly number[] | undefined = [];
  let count = 0;
  while (choices !== undefined && count < limit) {
    count++;
    const tried: readonly number[] = choices;
    const decisions = await play(await makeScene(), tried).catch((error: unknown) => {
      throw new Error(`in the order ${JSON.stringify(tried)}: ${String(error)}`, { cause: error });
    });
    const last = decisions.findLastIndex(({ choice, options }) => choice + 1 < options);
    const next = decisions[last];
    choices = next && [...decisions.slice(0, last).map(({ choice }) => choice), next.choice + 1];
  }
  return count;
}
