/** The table of docs/fleets.md. */
import { builtInCallsADay } from "./built-in.ts";
import { type Storms, stormsOf } from "./storms.ts";
import type { FleetFigures } from "./world.ts";

export interface FleetRow {
  readonly ours: FleetFigures;
  /** Computed. */
  readonly builtIn: BuiltInFigures;
}

export interface BuiltInFigures {
  readonly callsADay: Readonly<Record<string, number>>;
  readonly storms: Storms;
  readonly costUsd: number;
}

const keysInUse = 4;

export async function builtInFigures(servers: number): Promise<BuiltInFigures> {
  const callsADay = builtInCallsADay(servers);
  const costUsd = usdAMonth(servers, keysInUse * servers, callsADay);
  return { callsADay, storms: await stormsOf(servers), costUsd };
}

const dayS = 86_400;
const number = (value: number): string =>
  value >= 100 ? Math.round(value).toLocaleString("en-US") : value.toFixed(value >= 10 ? 1 : 2);
const whole = (value: number): string => value.toLocaleString("en-US");
const percent = (share: number): string => (share > 0 && share < 0.001 ? "< 0.1 %" : `${(100 * share).toFixed(1)} %`);
const unless = (isMissing: boolean, text: string): string => (isMissing ? "–" : text);
const pair = (ours: string, builtIn: string): string => `${ours} (${builtIn})`;
const time = (seconds: number): string => (seconds < 120 ? `${seconds} s` : `${Math.round(seconds / 60)} min`);

/** USD a month: keys that are enabled, and calls (0.03 for 10,000). */
function usdAMonth(servers: number, keys: number, callsADay: Readonly<Record<string, number>>): number {
  const calls = Object.values(callsADay).reduce((sum, count) => sum + count, 0) * servers * 30;
  return keys + (calls / 10_000) * 0.03;
}

/** Whether the run has not come to its end: then its keys were not counted, and what it did not come to is 0. */
export const isCutOff = ({ keysEnabled }: FleetFigures): boolean => keysEnabled === 0;

export const costOf = ({ servers, keysEnabled, callsADay }: FleetFigures): number =>
  usdAMonth(servers, keysEnabled, callsADay);

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
    line("all start at one moment, without keys: the last is ready after (built-in)", ({ ours, builtIn }) =>
      pair(time(ours.startS), time(builtIn.storms.startS)),
    ),
    line("… calls that KMS refused (built-in)", ({ ours, builtIn }) =>
      pair(whole(ours.startThrottled), whole(builtIn.storms.startThrottled)),
    ),
    line("all rotate both keys at one moment: the last is done after, of all rotations the slowest", ({ ours }) =>
      unless(isCutOff(ours) && ours.rotateS === 0, time(ours.rotateS)),
    ),
    line("… the one in the middle (built-in)", ({ ours, builtIn }) =>
      pair(unless(isCutOff(ours) && ours.rotateS === 0, time(ours.rotateMedianS)), time(builtIn.storms.rotateS)),
    ),
    line("… calls that KMS refused in the slowest (built-in)", ({ ours, builtIn }) =>
      pair(
        unless(isCutOff(ours) && ours.rotateS === 0, whole(ours.rotateThrottled)),
        whole(builtIn.storms.rotateThrottled),
      ),
    ),
    line("all restart at one moment: the last is ready after", ({ ours }) =>
      unless(isCutOff(ours) && ours.restartS === 0, time(ours.restartS)),
    ),
    line("of the built-in: aliases that a refresh of all at one moment leaves as they were", ({ builtIn }) =>
      percent(builtIn.storms.notRefreshed),
    ),
    line("share of all calls that KMS refused", ({ ours }) => percent(ours.throttledShare)),
    line("keys at the end: in use, pending deletion", ({ ours }) =>
      unless(isCutOff(ours), `${whole(ours.keysEnabled)}, ${whole(ours.keysPending)}`),
    ),
    line("cost a month, USD (built-in)", ({ ours, builtIn }) =>
      pair(unless(isCutOff(ours), number(costOf(ours))), number(builtIn.costUsd)),
    ),
    ...operations.map((operation) =>
      line(`${operation}, a day and server (built-in)`, ({ ours, builtIn }) => {
        const built = builtIn.callsADay[operation];
        return `${unless(isCutOff(ours), number(ours.callsADay[operation] ?? 0))}${built === undefined ? "" : ` (${number(built)})`}`;
      }),
    ),
    ...["DescribeKey", "ListAliases", "UpdateAlias"].map((operation) =>
      line(`${operation}, the fleet's share of the quota of ${limits[operation]}/s (built-in)`, ({ ours, builtIn }) => {
        const limit = limits[operation] ?? 1;
        return `${unless(isCutOff(ours), percent(scanShare(ours, ours.callsADay, operation) / limit))} (${percent(scanShare(ours, builtIn.callsADay, operation) / limit)})`;
      }),
    ),
  ];
  return [head, head.map((_, index) => (index === 0 ? "---" : "---:")), ...lines]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}
