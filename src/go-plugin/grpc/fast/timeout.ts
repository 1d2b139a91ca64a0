/** gRPC's `grpc-timeout` header, as far as the fast path reads it. */

const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1_000, m: 1, u: 1e-3, n: 1e-6 };

/** Timers of Node and integers of grpc-js end here. */
const longestMs = 2 ** 31 - 1;

/** @returns whole milliseconds; undefined for what only grpc-js should judge */
export function parseTimeout(header: string): number | undefined {
  const unit = unitMs[header.slice(-1)];
  if (unit === undefined || !/^\d{1,8}.$/.test(header)) return undefined;
  const timeoutMs = Math.trunc(Number(header.slice(0, -1)) * unit);
  return timeoutMs > longestMs ? undefined : timeoutMs;
}

/** @param timeoutMs not negative */
export function formatTimeout(timeoutMs: number): string {
  return timeoutMs < 1e8 ? `${timeoutMs}m` : `${Math.ceil(timeoutMs / 1_000)}S`;
}
