/** The way of log lines to the host: file descriptor 2, without a buffer that could die with the process. */
import { writeSync } from "node:fs";

/** Lines kept while the reader of stderr is slow; later ones are dropped and counted. */
const maxPendingBytes = 1024 * 1024;
const retryMs = 20;

export interface StderrSinkOptions {
  /** Called once when stderr has no reader any more: the host has ended. */
  readonly onClosed: () => void;
  /** Writes and returns the bytes taken, as `fs.writeSync`; replaced in tests. */
  readonly write?: (bytes: Buffer) => number;
}

export interface StderrSink {
  writeLine(line: string): void;
  /** Writes what is pending, as far as the reader takes it without waiting. */
  flush(): void;
}

/**
 * Writes whole lines straight to file descriptor 2: in order, before the process can exit, and without Node's stream,
 * whose buffered lines die with the process. Never throws.
 */
export function createStderrSink(options: StderrSinkOptions): StderrSink {
  const write = options.write ?? ((bytes: Buffer) => writeSync(2, bytes));
  let pending: Buffer[] = [];
  let pendingBytes = 0;
  let lost = 0;
  let closed = false;
  let timer: NodeJS.Timeout | undefined;

  function flush(): void {
    clearTimeout(timer);
    timer = undefined;
    while (!closed) {
      const next = pending[0];
      if (next === undefined) return;
      const taken = attempt(next);
      if (taken === undefined) break;
      pendingBytes -= taken;
      if (taken === next.length) pending.shift();
      else pending[0] = next.subarray(taken);
    }
    if (closed) {
      pending = [];
      return;
    }
    timer = setTimeout(flush, retryMs);
    timer.unref();
  }

  function attempt(bytes: Buffer): number | undefined {
    try {
      return write(bytes);
    } catch (error) {
      // A descriptor shared with the host may be non-blocking; anything else means it is no longer there.
      if (isBusy(error)) return undefined;
      closed = true;
      options.onClosed();
      return undefined;
    }
  }

  function writeLine(line: string): void {
    if (closed) return;
    const bytes = Buffer.from(`${line}\n`);
    if (pendingBytes + bytes.length > maxPendingBytes) {
      lost += 1;
      return;
    }
    pending.push(bytes);
    pendingBytes += bytes.length;
    flush();
    if (lost > 0 && pending.length === 0) {
      const count = lost;
      lost = 0;
      writeLine(lostLine(count));
    }
  }

  return { writeLine, flush };
}

function isBusy(error: unknown): boolean {
  const { code } = error as { code?: unknown };
  return code === "EAGAIN" || code === "EINTR";
}

function lostLine(count: number): string {
  const timestamp = new Date().toISOString().replace("Z", "000Z");
  return JSON.stringify({
    "@level": "warn",
    "@message": "log lines were lost: they were not read",
    "@timestamp": timestamp,
    count,
  });
}
