/** The head of the page with its verdict and totals, what to do, and the table of keys. */
import type { KeyClass, KeyRow } from "../../../key-manager/inventory/key-row.ts";
import { troubling } from "../key-lives.ts";
import type { Finding, ReportData, Severity } from "../report-data.ts";
import { counted, listText, numberText, timeOrDash, timeText, usd } from "../words.ts";
import { html, type Markup, type Part } from "./markup.ts";

/** So many rows a table has at most: those that need a look before the others. */
const maxRows = 1_000;

const alarming: ReadonlySet<KeyClass> = new Set(["stale", "unusable"]);

function verdict({ rows, summary, doctor }: ReportData, findings: readonly Finding[]): Markup {
  const troubled = [...troubling]
    .flatMap((name) => (name === "ended" ? [] : [name]))
    .map((name) => ({ name, count: summary.byClass[name] }))
    .filter(({ count }) => count > 0);
  const total = troubled.reduce((sum, { count }) => sum + count, 0);
  const levels = new Set(doctor?.findings.map(({ level }) => level));
  // What doctor cannot tell of any healthy server is no reason for a look.
  const isFound = { bad: levels.has("problem"), warning: levels.has("warning"), unknown: false, fine: false };
  const has = (severity: Severity) => isFound[severity] || findings.some((finding) => finding.severity === severity);
  const parts = listText(troubled.map(({ name, count }) => `${numberText(count)} ${name}`));
  if (total > 0) {
    const isBad = troubled.some(({ name }) => alarming.has(name)) || has("bad");
    return html`<div class="verdict ${isBad ? "bad" : "warning"}"><div><strong>${counted(total, "key needs", "keys need")} a look.</strong> ${parts}, of ${counted(rows.length, "key")} in all.${isFound.bad && " Doctor found that SPIRE Server would fail."}</div></div>`;
  }
  if (has("bad") || has("warning") || has("unknown")) {
    const severity = has("bad") ? "bad" : "warning";
    return html`<div class="verdict ${severity}"><div><strong>No key needs a look by itself, something else does.</strong> It is told below.</div></div>`;
  }
  if (rows.length === 0) {
    return html`<div class="verdict warning"><div><strong>There is no key of this trust domain here.</strong> If there should be, look at account and Region.</div></div>`;
  }
  return html`<div class="verdict"><div><strong>All is well.</strong> Every key is in use and fresh, or waits for its deletion as it should.</div></div>`;
}

const tile = (name: string, value: Part, mood = ""): Markup =>
  html`<div${mood !== "" && html` class="${mood}"`}><dt>${name}</dt><dd>${value}</dd></div>`;

export function pageHeader(data: ReportData, findings: readonly Finding[]): Markup {
  const { summary, account, regions, trustDomain, plugin } = data;
  const { byClass } = summary;
  const where = `${account === undefined ? "" : `account ${account}, `}${listText(regions)}`;
  const class1 = (name: KeyClass, mood: string) => tile(name, numberText(byClass[name]), byClass[name] > 0 ? mood : "");
  return html`<header><h1>Keys of ${trustDomain} in AWS KMS</h1><p class="soft">${where}. As KMS had it on ${timeText(summary.now)} UTC. Plugin <code>${plugin}</code>.</p>${verdict(data, findings)}
<dl class="tiles">${[
    tile("keys", numberText(data.rows.length)),
    tile("servers", numberText(summary.servers)),
    class1("in use", ""),
    class1("stale", "alarm"),
    class1("orphaned", "care"),
    ...(byClass.duplicated > 0 ? [class1("duplicated", "care")] : []),
    ...(byClass.unusable > 0 ? [class1("unusable", "alarm")] : []),
    ...(byClass.unknown > 0 ? [class1("unknown", "care")] : []),
    class1("pending deletion", ""),
    tile("cost a month", usd(summary.monthlyCostUsd)),
  ]}</dl></header>`;
}

const severityWords: Readonly<Record<Severity, string>> = {
  bad: "Act",
  warning: "Look",
  unknown: "Not known",
  fine: "Well",
};

export function findingsSection(findings: readonly Finding[]): Markup {
  const row = ({ severity, title, detail, remedy }: Finding) =>
    html`<li class="${severity}"><h3>${severityWords[severity]}: ${title}</h3>${detail !== "" && html`<p class="small">${detail}</p>`}${
      remedy !== undefined && html`<p class="small soft">${remedy}</p>`
    }</li>`;
  const toDo = findings.filter(({ severity }) => severity !== "fine");
  const fine = findings.filter(({ severity }) => severity === "fine");
  return html`<section aria-labelledby="todo"><h2 id="todo">What to do</h2>${
    toDo.length === 0
      ? html`<p>Nothing was found that needs a look.</p>`
      : html`<ul class="findings">${toDo.map(row)}</ul>`
  }${
    fine.length > 0 &&
    html`<details class="more screen"><summary>${counted(fine.length, "thing that was", "things that were")} looked at and found well</summary><ul class="findings">${fine.map(row)}</ul></details>`
  }</section>`;
}

function keyRow(row: KeyRow, hasRegions: boolean): Markup {
  const type = row.keyType ?? row.keySpec;
  return html`<tr><td><span class="tag ${row.class.replaceAll(" ", "-")}">${row.class}</span></td><th scope="row">${row.serverId ?? "–"}<div class="mono soft">${row.spireKeyId}</div></th><td><span class="mono">${row.keyId}</span><div class="small soft">${[
    type,
    hasRegions && row.region,
  ]
    .filter(Boolean)
    .join(
      ", ",
    )}</div></td><td class="when">${timeOrDash(row.createdAt)}</td><td class="when">${timeOrDash(row.refreshedAt)}</td><td class="when">${timeOrDash(row.deletionDate)}</td><td class="n">${usd(row.monthlyCostUsd)}</td><td class="why">${row.why}</td></tr>`;
}

const heads = ["class", "server, SPIRE key id", "KMS key", "made", "refreshed", "deletion"];

function keyTable(rows: readonly KeyRow[], caption: string, hasRegions: boolean): Markup {
  return html`<div class="scroll" tabindex="0" role="region" aria-label="${caption}"><table><caption>${caption}; times in UTC</caption><thead><tr>${heads.map(
    (head) => html`<th scope="col">${head}</th>`,
  )}<th scope="col" class="n">a month</th><th scope="col">why</th></tr></thead><tbody>${rows.map((row) => keyRow(row, hasRegions))}</tbody></table></div>`;
}

export function tablesSection({ rows }: ReportData, hasRegions: boolean): Part {
  if (rows.length === 0) return undefined;
  const troubled = rows.filter((row) => troubling.has(row.class));
  const others = rows.filter((row) => !troubling.has(row.class));
  const shownTroubled = troubled.slice(0, maxRows);
  const shownOthers = others.slice(0, maxRows);
  const left = rows.length - shownTroubled.length - shownOthers.length;
  return html`<section aria-labelledby="keys"><h2 id="keys">The keys</h2>${
    shownTroubled.length > 0 &&
    keyTable(shownTroubled, counted(shownTroubled.length, "key that needs a look", "keys that need a look"), hasRegions)
  }${
    shownOthers.length > 0 &&
    html`<details class="more screen"><summary>${counted(shownOthers.length, "key")} in use or waiting for deletion</summary>${keyTable(
      shownOthers,
      `${counted(shownOthers.length, "key")} in use or waiting for deletion`,
      hasRegions,
    )}</details>`
  }${left > 0 && html`<p class="soft">${counted(left, "key")} more are on the time line only; <code>spire-aws-kms keys --json</code> tells of each.</p>`}</section>`;
}
