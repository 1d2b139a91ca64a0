/** Where the host has said that its services listen, kept until the plugin asks. */
import type { ConnInfo } from "../../gen/plugin/grpc_broker_pb.ts";
import { GoPluginError } from "../errors.ts";
import type { GrpcAddress } from "../grpc/grpc-client.ts";

/** go-plugin's rule for both sides: an announcement and its pick-up are at most this far apart. */
const brokerTimeoutMs = 5000;

interface Waiter {
  resolve(address: GrpcAddress): void;
  reject(error: GoPluginError): void;
}

/** The listeners a peer has announced under service ids, until they are picked up. */
export class Announcements {
  readonly #timeoutMs: number;
  readonly #kept = new Map<number, { address: GrpcAddress; timer: NodeJS.Timeout }>();
  readonly #waiters = new Map<number, Set<Waiter>>();
  #closed = false;

  constructor(timeoutMs: number = brokerTimeoutMs) {
    this.#timeoutMs = timeoutMs;
  }

  /** Takes a message of the broker's stream. A knock (multiplexing, which we decline) or an unusable address is no announcement. */
  receive(info: ConnInfo): void {
    if (this.#closed || info.knock !== undefined) return;
    const { network, address, serviceId } = info;
    if ((network !== "unix" && network !== "tcp") || address === "") {
      const what = `the host announced service ${serviceId} at an address of no use: network "${network}", address "${address}"`;
      this.#settle(serviceId, (waiter) => waiter.reject(new GoPluginError("BROKER_ADDRESS", what)));
      return;
    }
    const found: GrpcAddress = { network, address };
    if (this.#settle(serviceId, (waiter) => waiter.resolve(found))) return;
    this.#keep(serviceId, found);
  }

  /**
   * Picks up the announcement of a service, waiting for it if need be.
   *
   * @throws GoPluginError `BROKER_TIMEOUT` after five seconds, `BROKER_ADDRESS`, `BROKER_CLOSED`; the signal's reason
   */
  take(serviceId: number, signal?: AbortSignal): Promise<GrpcAddress> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    if (this.#closed) return Promise.reject(brokerClosed());
    const kept = this.#kept.get(serviceId);
    if (kept !== undefined) {
      this.#forget(serviceId);
      return Promise.resolve(kept.address);
    }
    return this.#wait(serviceId, signal);
  }

  close(): void {
    this.#closed = true;
    for (const serviceId of [...this.#kept.keys()]) this.#forget(serviceId);
    for (const serviceId of [...this.#waiters.keys()])
      this.#settle(serviceId, (waiter) => waiter.reject(brokerClosed()));
  }

  #keep(serviceId: number, address: GrpcAddress): void {
    this.#forget(serviceId);
    const timer = setTimeout(() => this.#kept.delete(serviceId), this.#timeoutMs);
    timer.unref();
    this.#kept.set(serviceId, { address, timer });
  }

  #forget(serviceId: number): void {
    clearTimeout(this.#kept.get(serviceId)?.timer);
    this.#kept.delete(serviceId);
  }

  #settle(serviceId: number, act: (waiter: Waiter) => void): boolean {
    const waiters = this.#waiters.get(serviceId);
    if (waiters === undefined) return false;
    this.#waiters.delete(serviceId);
    for (const waiter of waiters) act(waiter);
    return true;
  }

  #wait(serviceId: number, signal: AbortSignal | undefined): Promise<GrpcAddress> {
    return new Promise((resolve, reject) => {
      const late = new GoPluginError(
        "BROKER_TIMEOUT",
        `the host announced no service ${serviceId} within ${this.#timeoutMs} ms`,
      );
      const timer = setTimeout(() => leave(late), this.#timeoutMs);
      const onAbort = (): void => leave(signal?.reason as Error);
      const waiters = this.#waiters.get(serviceId) ?? new Set<Waiter>();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", onAbort);
      };
      const waiter: Waiter = {
        resolve: (address) => {
          done();
          resolve(address);
        },
        reject: (error) => {
          done();
          reject(error);
        },
      };
      const leave = (error: Error): void => {
        waiters.delete(waiter);
        if (waiters.size === 0) this.#waiters.delete(serviceId);
        done();
        reject(error);
      };
      waiters.add(waiter);
      this.#waiters.set(serviceId, waiters);
      signal?.addEventListener("abort", onAbort, { once: true });
    });
  }
}

function brokerClosed(): GoPluginError {
  return new GoPluginError("BROKER_CLOSED", "the connection to the host's broker is closed");
}
