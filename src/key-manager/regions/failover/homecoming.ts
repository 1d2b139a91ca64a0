/**
 * A server whose keys were found in another Region looks again and again whether KMS answers in its own, and is configured
 * anew when it does.
 */
import { explain } from "../../errors.ts";
import type { LogLimits } from "../../pace/log-limit.ts";
import { withTimeLimit } from "../../pace/time-limit.ts";
import type { Clock, KmsClient, Logger } from "../../ports.ts";
import { kindOfFailure } from "./signing-region.ts";

const firstLookMs = 5_000;
const maxLookMs = 30_000;
/** A listing's first page takes tens of milliseconds. */
const answerMs = 5_000;

export interface HomecomingOptions {
  readonly kms: Pick<KmsClient, "listAliases">;
  readonly home: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly limits: LogLimits;
  readonly signal: AbortSignal;
  /** Configures anew; rejects while the keys cannot be had at home. */
  readonly comeHome: () => Promise<void>;
}

/** A refusal is an answer, too. */
async function isAnswering({ kms, clock, signal }: HomecomingOptions): Promise<boolean> {
  const limit = { clock, limitMs: answerMs, operation: "ListAliases", signal };
  try {
    await withTimeLimit(limit, async (cut) => {
      for await (const _page of kms.listAliases(undefined, { signal: cut })) break;
    });
    return true;
  } catch (error) {
    signal.throwIfAborted();
    return kindOfFailure(error) === "refusal";
  }
}

/** Ends when the server is at home, or the signal aborts. Never rejects. */
export async function untilHome(options: HomecomingOptions): Promise<void> {
  const { home, clock, log, limits, signal, comeHome } = options;
  for (let waitMs = firstLookMs; !signal.aborted; waitMs = Math.min(waitMs * 2, maxLookMs)) {
    try {
      await clock.sleep(waitMs * (0.5 + clock.random() / 2), signal);
      if (!(await isAnswering(options))) continue;
      await comeHome();
      return;
    } catch (error) {
      if (signal.aborted) return;
      limits.run("homecoming", (more) =>
        log.warn("KMS answers in this server's Region, but the keys cannot be had there yet; it is tried again", {
          kms_region: home,
          reason: explain(error),
          ...more,
        }),
      );
    }
  }
}
