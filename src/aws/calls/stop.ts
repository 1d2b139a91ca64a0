/** The caller's end before its call's, told by a signal or, for signatures, without the price of one. */
import type { Cancellation } from "../../key-manager/ports.ts";

export type Stop = AbortSignal | Cancellation;

export const isStopped = (stop: Stop | undefined): boolean =>
  stop instanceof AbortSignal ? stop.aborted : stop?.isCancelled === true;

export function onStop(stop: Stop, listener: () => void): void {
  if (stop instanceof AbortSignal) stop.addEventListener("abort", listener);
  else stop.onCancel(listener);
}

export function offStop(stop: Stop, listener: () => void): void {
  if (stop instanceof AbortSignal) stop.removeEventListener("abort", listener);
  else stop.offCancel(listener);
}

export const signalOf = (stop: Stop | undefined): AbortSignal | undefined =>
  stop === undefined || stop instanceof AbortSignal ? stop : stop.signal;
