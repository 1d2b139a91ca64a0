/** The table of docs/fleets.md. */
import type { FleetFigures } from "./world.ts";

export interface FleetRow {
  readonly ours: FleetFigures;
  /** Calls a day and server. */
  readonly builtIn: Readonly<Record<string, number>>;
}

const dayS = 86_400;
const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(value >= 10 ? 1 : 2);
const whole = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => (share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);
const time = (seconds: number): string => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);

/** USD a month: keys that are enabled, and calls (0.03 for 10,000). */
const costOf = ({ servers, keysEnabled, callsADay }: FleetFigures): number => {
  const calls = Object.values(callsADay).reduce((sum, count) => sum + count, 0) * servers * 30;
  return keysEnabled + (calls / 10_000) * 0.03;
};

function scanShare({ servers }: FleetFigures, callsADay: Readonly<Record<string, number>>, operation: string): number {
  return ((callsADay[operation] ?? 0) * servers) / dayS;
}

/** @param limits calls a second by operation, AWS's quotas */
export function fleetTable(rows: readonly FleetRow[], limits: Readonly<Record<string, number>>): string {
  const head = [
    "",
    ...rows.map(({ ours }) => `${ours.servers.toLocaleString("en-US")} ${ours.servers === 1 ? "server" : "servers"}`),
  ];
  const line = (name: string, cell: (row: FleetRow) => string): string[] => [name, ...rows.map(cell)];
  const operations = [...new Set(rows.flatMap(({ ours }) => Object.keys(ours.callsADay)))].sort();
  const lines = [
    line("days lived", ({ ours }) => String(ours.days)),
    line("all start at one moment, without keys: the last is ready after", ({ ours }) => time(ours.startS)),
    line("… calls that KMS refused", ({ ours }) => whole(ours.startThrottled)),
    line("all rotate both keys at one moment: the last is done after", ({ ours }) => time(ours.rotateS)),
    line("… calls that KMS refused", ({ ours }) => whole(ours.rotateThrottled)),
    line("all restart at one moment: the last is ready after", ({ ours }) => time(ours.restartS)),
    line("share of all calls that KMS refused", ({ ours }) => percent(ours.throttledShare)),
    line(
      "keys at the end: in use, pending deletion",
      ({ ours }) => `${whole(ours.keysEnabled)}, ${whole(ours.keysPending)}`,
    ),
    line("cost a month, USD", ({ ours }) => number(costOf(ours))),
    ...operations.map((operation) =>
      line(`${operation}, a day and server (built-in)`, ({ ours, builtIn }) => {
        const built = builtIn[operation];
        return `${number(ours.callsADay[operation] ?? 0)}${built === undefined ? "" : ` (${number(built)})`}`;
      }),
    ),
    ...["DescribeKey", "ListAliases", "UpdateAlias"].map((operation) =>
      line(`${operation}, the fleet's share of the quota of ${limits[operation]}/s (built-in)`, ({ ours, builtIn }) => {
        const limit = limits[operation] ?? 1;
        return `${percent(scanShare(ours, ours.callsADay, operation) / limit)} (${percent(scanShare(ours, builtIn, operation) / limit)})`;
      }),
    ),
  ];
  return [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
