/** The report as HTML: what it says, that nothing in it runs, and that it stays small. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import type { Finding as DoctorFinding } from "../../src/cli/doctor/finding.ts";
import { emptyHistory, withRun } from "../../src/cli/report/history.ts";
import { pageOf } from "../../src/cli/report/html/page.ts";
import { KmsError } from "../../src/key-manager/ports.ts";
import { daysAgo, manyRows, now, pending, report, row, summary } from "./sample-data.ts";

const styleIn = (page: string): string => /<style>([\s\S]*?)<\/style>/.exec(page)?.[1] ?? "";
const withoutStyle = (page: string): string => page.replace(styleIn(page), "");
/** What a reader sees, roughly. */
const textIn = (page: string): string =>
  withoutStyle(page)
    .replace(/<[^>]*>/g, " ")
    .replace(/\s+/g, " ");

const hostile = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "'onmouseover='alert(1)",
  "</title></style></svg><iframe src=//evil>",
  "&lt;b&gt; &amp;",
  "\u202egnp.exe\u0000\u001b[31m",
  "$" + "{7*7}`--><!--",
  "javascript:alert(1)",
];

describe("the page", () => {
  it("holds no script, asks for nothing, and says so to the browser", () => {
    const page = pageOf(report(manyRows(3)));
    const [, hash] = /style-src 'sha256-([^']+)'/.exec(page) ?? [];
    assert.equal(hash, createHash("sha256").update(styleIn(page)).digest("base64"));
    assert.match(page, /content="default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'; form-action 'none'"/);
    const rest = withoutStyle(page);
    assert.doesNotMatch(rest, /<(?:script|iframe|object|embed|link|img|base|form|audio|video|style (?!$))/i);
    assert.doesNotMatch(rest, /\s(?:on\w+|style|src)=/i);
    const references = [...rest.matchAll(/(?:href|url)[=(]["']?([^"')]*)/g)].map(([, to]) => to);
    assert.ok(references.length > 3);
    assert.deepEqual(
      references.filter((to) => !to?.startsWith("#")),
      [],
    );
    assert.doesNotMatch(styleIn(page), /@import|https?:|url\((?!#)/);
  });

  it("shows hostile names as text, wherever they come from", () => {
    for (const text of hostile) {
      const rows = [
        row({ keyId: text, serverId: text, spireKeyId: text, description: text, why: text, region: text }),
        row({
          keyId: "k2",
          class: "stale",
          serverId: `${text}2`,
          spireKeyId: text,
          why: text,
          refreshedAt: daysAgo(20),
        }),
        row({ keyId: "k3", class: "orphaned", serverId: undefined, spireKeyId: undefined, why: text, keyType: text }),
      ];
      const cause = new KmsError(text, {
        code: "ACCESS_DENIED",
        operation: "ListAliases",
        awsName: text,
        outcomeUnknown: false,
      });
      const data = report(rows, {
        trustDomain: text,
        account: text,
        regions: [text, "b"],
        troubles: [{ error: cause, consequence: text }],
        doctor: {
          findings: [
            { check: text, level: "problem", finding: text, remedy: text, permission: text },
            { check: text, level: "ok", finding: text },
          ],
          unchecked: [{ what: text, how: text }],
        },
      });
      const page = withoutStyle(pageOf(data));
      assert.doesNotMatch(page, /<(?:script|iframe|img)\b/i);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not be there
      assert.doesNotMatch(page, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      // What stands in a tag outside of quotes: names of attributes, and nothing that came from outside.
      const tags = [...page.matchAll(/<(\w+)((?:\s+[\w-]+="[^"<>]*")*)\s*\/?>/g)];
      const attributes = tags.flatMap(([, , list]) =>
        [...(list ?? "").matchAll(/([\w-]+)="[^"]*"/g)].map(([, one]) => one),
      );
      assert.ok(attributes.length > 50);
      assert.deepEqual(
        attributes.filter((one) => /^(?:on.*|src|style|xlink.*)$/i.test(one ?? "")),
        [],
      );
      assert.equal(tags.length, page.match(/<[a-zA-Z]/g)?.length, "each tag is whole");
      const opened = page.match(/<[a-zA-Z]/g)?.length ?? 0;
      const known = page.match(
        /<(?:html|head|meta|title|style|body|svg|defs|pattern|path|g|circle|header|h1|h2|h3|p|code|div|strong|dl|dt|dd|main|section|ul|li|rect|line|use|span|text|polyline|polygon|details|summary|table|thead|tbody|tr|th|td|caption|footer)\b/g,
      )?.length;
      assert.equal(opened, known, "tags that the page does not have by itself");
    }
  });

  it("tells of an account without keys, of one that is well, and of one that is not", () => {
    assert.match(textIn(pageOf(report([]))), /There is no key of this trust domain here\. If there should be/);
    assert.match(textIn(pageOf(report([row({ keyId: "a" })]))), /All is well\./);
    const stale = row({ keyId: "b", class: "stale", refreshedAt: daysAgo(20), why: "not refreshed for 20 days" });
    const text = textIn(pageOf(report([row({ keyId: "a" }), stale])));
    assert.match(text, /1 key needs a look\. 1 stale, of 2 keys in all\./);
    assert.match(text, /Act: 1 key is stale: no server has refreshed it in time/);
    assert.match(text, /not refreshed for 20 days/);
  });

  it("draws what is stale in red from the day on which it became so", () => {
    const page = pageOf(
      report([row({ keyId: "b", class: "stale", createdAt: daysAgo(30), refreshedAt: daysAgo(20) })]),
    );
    const bars = [...page.matchAll(/<rect class="(was|stale)" x="([\d.]+)%" y="[\d.]+" width="([\d.]+)%"/g)];
    const [was, stale] = bars.map(([, name, x, width]) => ({ name, x: Number(x), end: Number(x) + Number(width) }));
    assert.deepEqual([was?.name, stale?.name], ["was", "stale"]);
    assert.ok(was && stale && Math.abs(was.end - stale.x) < 0.1);
    const days = stale.end - stale.x;
    const whole = was.end - was.x;
    assert.ok(Math.abs(whole / days - 24 / 6) < 0.2, "made 30 days ago, stale for 6 of them");
  });

  it("says that a key may be found wanting for a missing permission, never that all is well", () => {
    const error = new KmsError("denied", {
      code: "ACCESS_DENIED",
      operation: "ListKeys",
      awsName: "AccessDeniedException",
      outcomeUnknown: false,
    });
    const data = report([row({ keyId: "a" })], { troubles: [{ error, consequence: "orphans are not found" }] });
    const text = textIn(pageOf(data));
    assert.match(text, /Not known: Orphans are not found/);
    assert.match(text, /kms:ListKeys/);
    assert.doesNotMatch(text, /All is well/);
  });

  it("warns of keys that will be stale within a week, and of keys without alias that were not looked at", () => {
    const rows = [row({ keyId: "a", refreshedAt: daysAgo(9) })];
    const text = textIn(pageOf(report(rows, { summary: summary(rows, { namelessNotLookedAt: 12 }) })));
    assert.match(text, /1 key will be stale within a week The first in 5 days/);
    assert.match(text, /12 keys without an alias were not looked at/);
  });

  it("shows doctor's findings, the worst first, each with its level and its remedy, and what it did not look at", () => {
    const findings: readonly DoctorFinding[] = [
      { check: "clock", level: "ok", finding: "the clock is right" },
      { check: "permissions", level: "unknown", finding: "kms:CreateKey cannot be tried", remedy: "compare" },
      { check: "permissions", level: "problem", finding: "kms:Sign is missing", remedy: "allow kms:Sign" },
      { check: "files", level: "warning", finding: "others can write it", remedy: "chmod" },
    ];
    const unchecked = [{ what: "the handshake", how: "doctor --spire-bin" }];
    const text = textIn(pageOf(report([row({ keyId: "a" })], { doctor: { findings, unchecked } })));
    assert.match(
      text,
      /What doctor found SPIRE Server would fail: 1 problem, 1 warning, 1 unknown, 1 ok\. Problem, permissions: kms:Sign is missing To do: allow kms:Sign Warning, files: others can write it To do: chmod Unknown, permissions: kms:CreateKey cannot be tried To do: compare 1 check that found things as they must be clock: the clock is right Not looked at: the handshake\. doctor --spire-bin\./,
    );
    assert.match(text, /something else does/);
    assert.doesNotMatch(text, /All is well/);
    const stale = row({ keyId: "b", class: "stale", refreshedAt: daysAgo(20) });
    assert.match(
      textIn(pageOf(report([stale], { doctor: { findings, unchecked } }))),
      /1 stale, of 1 key in all\. Doctor found that SPIRE Server would fail\./,
    );
  });

  it("says that all is well where doctor only has what no harmless call can tell, and what was not asked", () => {
    const findings: readonly DoctorFinding[] = [
      { check: "permissions", level: "unknown", finding: "kms:CreateKey cannot be tried", remedy: "compare" },
    ];
    const text = textIn(pageOf(report([row({ keyId: "a" })], { doctor: { findings, unchecked: [] } })));
    assert.match(text, /All is well/);
    assert.match(text, /SPIRE Server would start: 0 problems, 0 warnings, 1 unknown, 0 ok/);
    assert.match(textIn(pageOf(report([row({ keyId: "a" })]))), /It was not asked/);
  });

  it("counts money that is spent only once keys no longer wait for their deletion", () => {
    const page = pageOf(report([row({ keyId: "a" }), pending("b"), pending("c")]));
    assert.match(textIn(page), /\$1 cost a month|cost a month \$1/);
  });

  it("assigns keys to their servers, and remembers what KMS has deleted, by what earlier runs saw", () => {
    const before = [row({ keyId: "old" }), row({ keyId: "older", createdAt: daysAgo(25) })];
    const first = withRun(emptyHistory("example.org"), before, { ...summary(before), now: daysAgo(9) }, ["us-east-2"]);
    const rows = [row({ keyId: "new", createdAt: daysAgo(8) }), pending("old", daysAgo(1 - 8))];
    const history = withRun(first, rows, summary(rows), ["us-east-2"]);
    const page = pageOf(report(rows, { history }));
    assert.doesNotMatch(textIn(page), /Keys without a server/);
    assert.match(page, /older: ended; made 1 Nov 2026, 12:00; not found since 26 Nov 2026/);
    assert.match(page, /x509-CA-A new: in use; made 18 Nov 2026, 12:00 by a rotation/);
    assert.match(textIn(page), /As earlier runs saw it/);
  });

  it("stays within bounds however many keys there are", () => {
    const five = pageOf(report(manyRows(625)));
    assert.ok(five.length < 3_500_000, `${five.length} characters for 5,000 keys`);
    assert.ok(/keys 5,000/.test(textIn(five)));
    const many = pageOf(report(manyRows(2_000)));
    assert.ok(many.length < 4_500_000, `${many.length} characters for 16,000 keys`);
    assert.ok(/more servers without trouble have no row here/.test(textIn(many)));
    const waiting = Array.from({ length: 6_000 }, (_, index) => pending(`p${index}`));
    assert.ok(pageOf(report(waiting)).length < 1_500_000);
  });

  it("shows each server with trouble, even among thousands", () => {
    const bad = row({ keyId: "bad", serverId: "zz-last", class: "stale", refreshedAt: daysAgo(20) });
    const page = pageOf(report([...manyRows(2_000), bad]));
    assert.match(page, /<h3>zz-last<\/h3>/);
    assert.ok(page.indexOf("<h3>zz-last</h3>") < page.indexOf("<h3>server-0</h3>"));
  });

  it("is the same for the same account at the same time", () => {
    assert.equal(pageOf(report(manyRows(20))), pageOf(report(manyRows(20))));
    assert.equal(pageOf(report([], { summary: summary([], { now }) })).includes(String(process.pid)), false);
  });
});
