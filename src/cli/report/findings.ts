/** What the inventory itself gives to do, in words; what `doctor` finds stands on the page by itself. */
import { explain } from "../../key-manager/errors.ts";
import type { KeyClass, KeyRow } from "../../key-manager/inventory/key-row.ts";
import type { Finding, ReportData, Severity } from "./report-data.ts";
import { counted, listText, spanText, usd } from "./words.ts";

const dayMs = 86_400_000;
/** A healthy server refreshes every six hours. */
const soonMs = 7 * dayMs;

interface ClassWords {
  readonly severity: Severity;
  readonly is: (count: number) => string;
  readonly remedy: string;
}

const words: Partial<Readonly<Record<KeyClass, ClassWords>>> = {
  stale: {
    severity: "bad",
    is: (count) =>
      `${counted(count, "key")} ${count === 1 ? "is" : "are"} stale: no server has refreshed ${count === 1 ? "it" : "them"} in time`,
    remedy:
      "If the server is in use, look at its log for “Task failed” and start it: the scans of other servers schedule these keys for deletion. If it is no longer there, the scans take care of it.",
  },
  unusable: {
    severity: "bad",
    is: (count) => `${counted(count, "key")} that a server names cannot sign`,
    remedy: "Cancel its deletion or enable it (spire-aws-kms cancel-deletion), before SPIRE makes another.",
  },
  duplicated: {
    severity: "warning",
    is: (count) => `${counted(count, "key")} stand${count === 1 ? "s" : ""} beside the one in use under the same id`,
    remedy:
      "See that it is not another server with the same identity; the scans schedule what is not in use for deletion.",
  },
  orphaned: {
    severity: "warning",
    is: (count) =>
      `${counted(count, "key is an orphan", "keys are orphans")}: nothing uses ${count === 1 ? "it" : "them"}`,
    remedy:
      "spire-aws-kms prune --dry-run shows what the scans would do; the scans of a running server do it by themselves.",
  },
  unknown: {
    severity: "unknown",
    is: (count) => `Of ${counted(count, "key")} nothing can be said for want of a permission`,
    remedy: "Give kms:DescribeKey, and run this again.",
  },
};

function namesOf(rows: readonly KeyRow[]): string {
  const servers = [...new Set(rows.flatMap(({ serverId }) => (serverId === undefined ? [] : [serverId])))];
  if (servers.length === 0) return "";
  const shown = servers.slice(0, 5);
  const more = servers.length > shown.length ? [`${servers.length - shown.length} more`] : [];
  return ` Servers: ${listText([...shown, ...more])}.`;
}

function byClass({ rows }: ReportData): Finding[] {
  return (Object.keys(words) as KeyClass[]).flatMap((name) => {
    const known = words[name];
    const found = rows.filter((row) => row.class === name);
    if (known === undefined || found.length === 0) return [];
    const cost = found.reduce((sum, { monthlyCostUsd }) => sum + monthlyCostUsd, 0);
    const detail =
      `${cost > 0 ? `${found.length === 1 ? "It costs" : "They cost"} ${usd(cost)} a month.` : ""}${namesOf(found)}`.trim();
    return [{ severity: known.severity, title: known.is(found.length), detail, remedy: known.remedy }];
  });
}

function soonStale({ rows, summary }: ReportData): Finding[] {
  const now = summary.now.getTime();
  const soon = rows.filter(
    ({ class: name, staleAt }) => name === "in use" && staleAt !== undefined && staleAt.getTime() - now < soonMs,
  );
  const first = Math.min(...soon.map(({ staleAt }) => staleAt?.getTime() ?? Number.POSITIVE_INFINITY));
  if (soon.length === 0) return [];
  return [
    {
      severity: "warning",
      title: `${counted(soon.length, "key")} will be stale within a week`,
      detail: `The first in ${spanText(first - now)}. A server that is well refreshes its keys every six hours.${namesOf(soon)}`,
      remedy: "Look at the log of that server for “Task failed”: mostly a permission is missing.",
    },
  ];
}

function incomplete({ troubles, summary }: ReportData): Finding[] {
  const denied = troubles.map(
    ({ error, consequence }): Finding => ({
      severity: "unknown",
      title: consequence.replace(/^./, (letter) => letter.toUpperCase()),
      detail: explain(error),
      remedy: "Give the permission (spire-aws-kms policy iam), and run this again.",
    }),
  );
  const { namelessNotLookedAt: left } = summary;
  if (left === 0) return denied;
  const title = `${counted(left, "key")} without an alias ${left === 1 ? "was" : "were"} not looked at`;
  return [
    ...denied,
    {
      severity: "unknown",
      title,
      detail: "Orphans may be among them; each takes one call of DescribeKey.",
      remedy: "Run this with --nameless all.",
    },
  ];
}

const order: readonly Severity[] = ["bad", "warning", "unknown", "fine"];

export function findingsOf(data: ReportData): readonly Finding[] {
  const found = [...byClass(data), ...soonStale(data), ...incomplete(data)];
  return found.toSorted((one, other) => order.indexOf(one.severity) - order.indexOf(other.severity));
}
