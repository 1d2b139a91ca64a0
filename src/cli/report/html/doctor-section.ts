/** What `doctor` found, each with its level and what to do; what it could not look at, and how it would. */
import { type Finding, type Level, levels } from "../../doctor/finding.ts";
import type { DoctorReport, Severity } from "../report-data.ts";
import { counted } from "../words.ts";
import { html, type Markup } from "./markup.ts";

const words: Readonly<Record<Level, { readonly title: string; readonly severity: Severity }>> = {
  problem: { title: "Problem", severity: "bad" },
  warning: { title: "Warning", severity: "warning" },
  unknown: { title: "Unknown", severity: "unknown" },
  ok: { title: "Ok", severity: "fine" },
};

const row = ({ check, level, finding, remedy }: Finding): Markup =>
  html`<li class="${words[level].severity}"><h3>${words[level].title}, ${check}: ${finding}</h3>${
    remedy !== undefined && html`<p class="small soft">To do: ${remedy}</p>`
  }</li>`;

const fineRow = ({ check, finding }: Finding): Markup => html`<li class="fine small">${check}: ${finding}</li>`;

function verdict(findings: readonly Finding[]): string {
  const count = (level: Level) => findings.filter((finding) => finding.level === level).length;
  const counts = `${counted(count("problem"), "problem")}, ${counted(count("warning"), "warning")}, ${count("unknown")} unknown, ${count("ok")} ok`;
  if (!findings.some(({ check }) => check === "permissions")) return `${counts}.`;
  return `SPIRE Server ${count("problem") > 0 ? "would fail" : "would start"}: ${counts}.`;
}

export function doctorSection(doctor: DoctorReport | undefined): Markup {
  if (doctor === undefined) {
    return html`<section aria-labelledby="doctor"><h2 id="doctor">What doctor found</h2><p>It was not asked (<code>--no-doctor</code>): configuration, files, permissions and clock were not looked at.</p></section>`;
  }
  const { findings, unchecked } = doctor;
  const toDo = levels
    .filter((level) => level !== "ok")
    .flatMap((level) => findings.filter((one) => one.level === level));
  const fine = findings.filter(({ level }) => level === "ok");
  return html`<section aria-labelledby="doctor"><h2 id="doctor">What doctor found</h2><p>${verdict(findings)}</p>${
    toDo.length > 0 && html`<ul class="findings">${toDo.map(row)}</ul>`
  }${
    fine.length > 0 &&
    html`<details class="more"><summary>${counted(fine.length, "check that found", "checks that found")} things as they must be</summary><ul class="findings">${fine.map(fineRow)}</ul></details>`
  }${unchecked.length > 0 && html`<p class="small">Not looked at:</p><ul class="small">${unchecked.map(({ what, how }) => html`<li>${what}. ${how}.</li>`)}</ul>`}</section>`;
}
