/**
 * A fleet of servers in one account under AWS's quotas, for days of virtual time: the plugin's own code on the embedded KMS.
 *
 * Each server behaves as SPIRE does with a CA of 24 hours: a new X.509 and a new JWT key every 12 hours, in turn in slots A
 * and B; a generation that fails is tried again after 10 s, and at the start it ends the process, which comes back later and later.
 */
import { AwsException } from "../../src/kms-emulator/index.ts";
import { SimulatedAccount } from "../../test/simulation/simulated-account.ts";
import { SimulatedServer } from "../../test/simulation/simulated-server.ts";
import { seededRandom } from "../../test/simulation/virtual-time.ts";

// Each call that KMS refuses makes four errors on its way, and where they were made is not read.
Error.stackTraceLimit = 0;

const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;
const rotationMs = 12 * hourMs;
const retryMs = 10_000;
const maxRestartMs = 300_000;
const kinds = ["x509-CA", "JWT-Signer"] as const;

/** What has been asked of KMS, by operation. */
export interface Calls {
  readonly made: Map<string, number>;
  readonly throttled: Map<string, number>;
}

const add = (counts: Map<string, number>, name: string): void => void counts.set(name, (counts.get(name) ?? 0) + 1);

class CountingAccount extends SimulatedAccount {
  calls: Calls = { made: new Map(), throttled: new Map() };

  override async call(operation: string, input: object, caller?: unknown, identity?: string): Promise<unknown> {
    if (caller instanceof SimulatedServer) add(this.calls.made, operation);
    try {
      return await super.call(operation, input, caller, identity);
    } catch (error) {
      if (error instanceof AwsException && error.code === "ThrottlingException") add(this.calls.throttled, operation);
      throw error;
    }
  }

  /** What was counted since the last time. */
  takeCalls(): Calls {
    const taken = this.calls;
    this.calls = { made: new Map(), throttled: new Map() };
    return taken;
  }
}

/** One server with whatever restarts it. */
class Member {
  readonly #account: SimulatedAccount;
  readonly #serverId: string;
  readonly #random: () => number;
  #process: SimulatedServer | undefined;
  #starts = 0;
  #rotations = 0;

  constructor(account: SimulatedAccount, index: number) {
    this.#account = account;
    this.#serverId = `server-${index}`;
    this.#random = seededRandom(index + 1);
  }

  /** Starts, and comes back until it is ready; resolves then. */
  async start(): Promise<void> {
    this.#process?.kill();
    for (let failures = 0; ; failures++) {
      const process = this.#newProcess();
      try {
        await process.configure();
        for (const kind of kinds) {
          const hasKey = ["A", "B"].some((slot) => process.entries.has(`${kind}-${slot}`));
          if (!hasKey) await process.generate(`${kind}-A`);
        }
        this.#process = process;
        return;
      } catch {
        process.kill();
        const waitMs = Math.min(retryMs * 2 ** failures, maxRestartMs);
        await this.#account.time.sleep(waitMs * (0.5 + this.#random() / 2));
      }
    }
  }

  /** A new key of each kind, in the slot whose turn it is. */
  async rotate(): Promise<void> {
    this.#rotations++;
    const slot = this.#rotations % 2 === 0 ? "A" : "B";
    for (const kind of kinds) {
      while (!(await this.#generated(`${kind}-${slot}`))) await this.#account.time.sleep(retryMs);
    }
  }

  kill(): void {
    this.#process?.kill();
  }

  async #generated(keyId: string): Promise<boolean> {
    try {
      await this.#process?.generate(keyId);
      // What it wrote is not read, and a month of it would fill this machine's memory.
      this.#process?.log.splice(0);
      return true;
    } catch {
      return false;
    }
  }

  #newProcess(): SimulatedServer {
    this.#starts++;
    return new SimulatedServer({
      account: this.#account,
      trustDomain: "example.org",
      serverId: this.#serverId,
      random: seededRandom(this.#starts * 100_003 + Number(this.#serverId.split("-")[1])),
      latencyMs: 20,
    });
  }
}

export interface FleetFigures {
  readonly servers: number;
  readonly days: number;
  /** Seconds from the first start of all at one moment until the last one is ready. */
  readonly startS: number;
  readonly startThrottled: number;
  /** Seconds until the last of all, who rotate at one moment, has both new keys. */
  readonly rotateS: number;
  readonly rotateThrottled: number;
  /** The same, of all rotations the one in the middle. */
  readonly rotateMedianS: number;
  /** Seconds until all, restarted at one moment with their keys in KMS, are ready. */
  readonly restartS: number;
  /** Calls a day and server, by operation, restarts and rotations included. */
  readonly callsADay: Readonly<Record<string, number>>;
  /** Share of the calls that KMS refused. */
  readonly throttledShare: number;
  readonly keysEnabled: number;
  readonly keysPending: number;
}

const total = (counts: Map<string, number>): number => [...counts.values()].reduce((sum, count) => sum + count, 0);

/** @param sofar is given the figures after each step, for a run that is not waited for to its end */
export async function liveFleet(
  servers: number,
  days: number,
  sofar: (figures: FleetFigures) => void = () => undefined,
): Promise<FleetFigures> {
  const account = new CountingAccount({ quotas: true });
  const { time } = account;
  const members = Array.from({ length: servers }, (_, index) => new Member(account, index));
  const timed = async (act: (member: Member) => Promise<void>): Promise<number> => {
    const begun = time.now;
    await time.until(Promise.all(members.map(act)), 2 * dayMs);
    return Math.round((time.now - begun) / 1_000);
  };
  const end = time.now + days * dayMs;
  const made = new Map<string, number>();
  let throttled = 0;
  const tally = (): number => {
    const taken = account.takeCalls();
    for (const [name, count] of taken.made) made.set(name, (made.get(name) ?? 0) + count);
    throttled += total(taken.throttled);
    return total(taken.throttled);
  };

  const begunAt = performance.now();
  const tell = (what: string, tookS: number): void => {
    const minutes = ((performance.now() - begunAt) / 60_000).toFixed(1);
    console.error(`${servers} servers, ${minutes} min: ${what}, the last after ${tookS} s`);
  };

  const startedAt = time.now;
  const rotations: number[] = [];
  const steps = { startS: 0, startThrottled: 0, rotateS: 0, rotateThrottled: 0, restartS: 0 };
  const figures = (states: ReadonlyMap<string, number>): FleetFigures => {
    tally();
    const lived = (time.now - startedAt) / dayMs;
    const callsADay = Object.fromEntries(
      [...made].sort(([a], [b]) => a.localeCompare(b)).map(([name, count]) => [name, count / servers / lived]),
    );
    return {
      servers,
      days: Math.round(lived * 10) / 10,
      ...steps,
      rotateMedianS: rotations.toSorted((a, b) => a - b)[rotations.length >> 1] ?? 0,
      callsADay,
      throttledShare: throttled / total(made),
      keysEnabled: states.get("Enabled") ?? 0,
      keysPending: states.get("PendingDeletion") ?? 0,
    };
  };
  const stepDone = (what: string, tookS: number): void => {
    tell(what, tookS);
    sofar(figures(new Map()));
  };

  steps.startS = await timed((member) => member.start());
  steps.startThrottled = tally();
  stepDone("started", steps.startS);
  for (let rotation = 1; time.now < end; rotation++) {
    const next = Math.min(end, time.now + rotationMs);
    tally();
    const tookS = await timed((member) => member.rotate());
    const refused = tally();
    rotations.push(tookS);
    if (tookS > steps.rotateS) Object.assign(steps, { rotateS: tookS, rotateThrottled: refused });
    stepDone(`rotation ${rotation}`, tookS);
    if (rotation === days) {
      steps.restartS = await timed((member) => member.start());
      stepDone("restarted", steps.restartS);
    }
    await time.run(Math.max(0, next - time.now));
  }
  const lived = figures(new Map());
  for (const member of members) member.kill();
  const states = await keyStates(account);
  return {
    ...lived,
    keysEnabled: states.get("Enabled") ?? 0,
    keysPending: states.get("PendingDeletion") ?? 0,
  };
}

async function stateOf(account: SimulatedAccount, KeyId: string): Promise<string> {
  try {
    const { KeyMetadata } = (await account.call("DescribeKey", { KeyId })) as { KeyMetadata: { KeyState: string } };
    return KeyMetadata.KeyState;
  } catch (error) {
    if (error instanceof AwsException && error.code === "NotFoundException") return "deleted";
    throw error;
  }
}

async function keyStates(account: SimulatedAccount): Promise<ReadonlyMap<string, number>> {
  // The operator's look is not to be throttled.
  account.jump(60_000);
  const states = new Map<string, number>();
  let marker: string | undefined;
  do {
    const input = { Limit: 1_000, ...(marker === undefined ? {} : { Marker: marker }) };
    const page = (await account.call("ListKeys", input)) as { Keys: { KeyId: string }[]; NextMarker?: string };
    for (const { KeyId } of page.Keys) {
      account.jump(10);
      // Some are deleted while this goes on.
      add(states, await stateOf(account, KeyId));
    }
    marker = page.NextMarker;
    account.jump(100);
  } while (marker !== undefined);
  return states;
}
