/**
 * The report: one page that needs nothing beside it. No script, no request; its policy says so to the browser, so that even a mistake in
 * escaping could not run or fetch anything.
 */
import { createHash } from "node:crypto";
import { courseOf } from "../course.ts";
import { findingsOf } from "../findings.ts";
import { livesOf } from "../key-lives.ts";
import type { ReportData } from "../report-data.ts";
import { windowOf } from "../time-scale.ts";
import { chartsSection } from "./charts.ts";
import { doctorSection } from "./doctor-section.ts";
import { html } from "./markup.ts";
import { findingsSection, pageHeader, tablesSection } from "./sections.ts";
import { styleOf } from "./style.ts";
import { symbols, timelineSection } from "./timeline.ts";

/** By this a page of an earlier run is told from a file of another kind. */
export const generator = "spire-aws-kms report";

export function pageOf(data: ReportData): string {
  const lives = livesOf(data);
  const all = [...lives.servers.flatMap(({ lanes }) => lanes.flatMap((lane) => lane.lives)), ...lives.nameless];
  const scale = windowOf(
    all.flatMap(({ createdAt }) => createdAt ?? []),
    all.flatMap(({ staleAt, endsAt, class: name }) => (name === "ended" ? [] : (endsAt ?? staleAt ?? []))),
    data.summary.now,
  );
  const findings = findingsOf(data);
  const hasRegions = data.regions.length > 1;
  const body = html`${symbols}${pageHeader(data, findings)}<main>${findingsSection(findings)}${doctorSection(data.doctor)}${
    all.length > 0 && [
      timelineSection(lives, scale, hasRegions),
      chartsSection(courseOf(data, lives, scale)),
      tablesSection(data, hasRegions),
    ]
  }</main><footer><p>Made by spire-aws-kms ${data.version} from calls that change nothing. It is as of its time and does not refresh itself. Prices are list prices of AWS KMS: one US dollar a month for each key that does not wait for its deletion.</p></footer>`;
  // The style sheet is ours: it stands as it is, and its hash is the policy's one exception.
  const style = styleOf(scale);
  const hash = createHash("sha256").update(style).digest("base64");
  const policy = `default-src 'none'; style-src 'sha256-${hash}'; base-uri 'none'; form-action 'none'`;
  return `<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8"><meta http-equiv="Content-Security-Policy" content="${policy}"><meta name="generator" content="${generator}"><meta name="viewport" content="width=device-width, initial-scale=1"><meta name="referrer" content="no-referrer"><meta name="robots" content="noindex"><meta name="color-scheme" content="light dark">${html`<title>Keys of ${data.trustDomain} in AWS KMS</title>`.text}<style>${style}</style></head>
<body>${body.text}</body></html>
`;
}
