/** Counts what a command asks of AWS, for `--verbose` and for prices. */
import { noTelemetry, type Telemetry } from "../key-manager/telemetry.ts";

export class CallCounter {
  readonly #calls = new Map<string, number>();
  #firstMs: number | undefined;
  #lastMs = 0;

  /** Every attempt of a call counts: that is what quotas count. */
  readonly telemetry: Telemetry = {
    ...noTelemetry,
    awsCall: (operation, _result, startedAt) => {
      this.#calls.set(operation, (this.#calls.get(operation) ?? 0) + 1);
      this.#firstMs ??= startedAt.getTime();
      this.#lastMs = startedAt.getTime();
    },
  };

  get total(): number {
    return [...this.#calls.values()].reduce((sum, count) => sum + count, 0);
  }

  get byOperation(): Readonly<Record<string, number>> {
    return Object.fromEntries([...this.#calls].sort(([a], [b]) => a.localeCompare(b)));
  }

  /** `254 calls of AWS: 250 ListAliases, 4 DescribeKey` */
  get text(): string {
    const parts = [...this.#calls].sort(([, a], [, b]) => b - a).map(([operation, count]) => `${count} ${operation}`);
    const seconds = this.#firstMs === undefined ? 0 : Math.max(0, this.#lastMs - this.#firstMs) / 1000;
    const took = seconds < 1 ? "" : `, in ${Math.round(seconds)} s`;
    return `${this.total} calls of AWS${parts.length === 0 ? "" : `: ${parts.join(", ")}`}${took}`;
  }
}
