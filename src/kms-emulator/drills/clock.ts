/** The emulator's only source of time. Every date, deletion and token lifetime is read from here. */
export interface EmulatorClock {
  /** Milliseconds since the Unix epoch. Never goes backwards except when the host's own clock does. */
  now(): number;
  /** Moves the clock forward by `ms` (>= 0). */
  advance(ms: number): void;
}

function requireForward(ms: number): void {
  if (!Number.isFinite(ms) || ms < 0) {
    throw new RangeError(`the clock only moves forward: ${ms} ms`);
  }
}

/** The host's clock plus an offset that {@link EmulatorClock.advance} grows. */
export function systemClock(): EmulatorClock {
  let offsetMs = 0;
  return {
    now: () => Date.now() + offsetMs,
    advance(ms) {
      requireForward(ms);
      offsetMs += ms;
    },
  };
}

/** A clock that stands still until it is advanced: months of simulated life take no real time. */
export function manualClock(start: Date | number = Date.UTC(2026, 0, 1)): EmulatorClock {
  let nowMs = typeof start === "number" ? start : start.getTime();
  return {
    now: () => nowMs,
    advance(ms) {
      requireForward(ms);
      nowMs += ms;
    },
  };
}
