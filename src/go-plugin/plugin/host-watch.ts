/**
 * Sees that the host has ended. Looking costs a wake-up of an idle process, so it is done rarely, and often for a while
 * at the start, before the host has connected, and when a connection closes: a host that ends closes all of its.
 */

const calmMs = 5_000;
const closeMs = 100;
/** Sockets close before the system gives an orphan its new parent; how long before, depends on the load. */
const closeLooks = 100;

export interface HostWatchOptions {
  readonly isAlive: () => boolean;
  /** Called once. */
  readonly onEnd: () => void;
}

export interface HostWatch {
  /** Something has happened that also happens when the host ends. */
  suspect(): void;
}

/** Watches without keeping the process from ending. */
export function watchHost({ isAlive, onEnd }: HostWatchOptions): HostWatch {
  let looksLeft = closeLooks;
  let timer: NodeJS.Timeout | undefined;
  let hasEnded = false;

  function look(): void {
    if (!isAlive()) {
      hasEnded = true;
      onEnd();
      return;
    }
    looksLeft = Math.max(looksLeft - 1, 0);
    timer = setTimeout(look, looksLeft > 0 ? closeMs : calmMs).unref();
  }

  look();
  return {
    suspect() {
      if (hasEnded) return;
      clearTimeout(timer);
      looksLeft = closeLooks;
      look();
    },
  };
}
