/** docs/monitoring.md, the alert rules and the dashboard say what the code has: no metric and no log line more or less. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { events, hostFamilies, type MetricFamily, ownFamilies } from "../../src/plugin/metric-families.ts";
import { alertNames, dashboardQueries, rulesFile } from "./deployed.ts";
import { type LogLine, logLines } from "./log-lines.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(join(root, "docs/monitoring.md"), "utf8");

const rows = page
  .split("\n")
  .filter((line) => line.startsWith("| `"))
  .map((line) => line.slice(2, -2).split(" | "));
const namesIn = (cell = ""): string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name ?? "");

const families: ReadonlyMap<string, MetricFamily> = new Map([
  ...Object.entries(ownFamilies).map(([name, family]): [string, MetricFamily] => [`spire_aws_kms_${name}`, family]),
  ...Object.entries(hostFamilies).map(([name, family]): [string, MetricFamily] => [
    `spire_server_aws_kms_${name.replaceAll(".", "_")}`,
    family,
  ]),
]);

/** Fields that a log call takes over from elsewhere, by how it is written there. */
const taken: Readonly<Record<string, readonly string[]>> = {
  more: ["suppressed"],
  until: ["held_until"],
  "fieldsOf(request)": ["rule", "key_arn", "alias_name", "age"],
  named: ["rule", "key_arn", "alias_name", "age"],
  "fieldsOf(this.#request)": ["rule", "key_arn", "alias_name", "age"],
  "fieldsOf(this.request)": ["rule", "key_arn", "alias_name", "age"],
  fields: ["rule", "key_arn", "alias_name", "age", "reason", "waiting"],
  '(typeof code === "string" ? { code } : {})': ["code"],
  "(stack === undefined ? {} : { stack })": ["stack"],
  "(account === undefined ? {} : { account_id: account })": ["account_id"],
  "(left > 0 ? { left_to_the_next_configure: left } : {})": ["left_to_the_next_configure"],
  "this.#fields": ["key_id", "key_arn", "alias_name", "replica_region"],
  about: ["key_id", "key_arn", "replica_region", "state"],
  "fieldsOf(region, entries)": ["replica_region", "keys", "replica_arns"],
  "(isHome ? { failover_regions: failover } : {})": ["failover_regions"],
  // What a task counts is its own.
  report: [],
};

/** Lines whose message is made elsewhere; the page tells of them in words. */
const madeElsewhere = ["aws/clients.ts", "go-plugin/plugin/stdio-capture.ts", "plugin/loader.ts", "plugin/loader.ts"];

const fieldName = (name: string): string => (name === "[setting]" ? "key_identifier_file" : name);

describe("monitoring.md", () => {
  it("has every metric with its type and labels, and no other", () => {
    const documented = rows.filter(([name]) => name?.startsWith("`spire_")).map((cells) => cells.slice(0, 3));
    const expected = [...families].map(([name, { type, labels }]) => [
      `\`${name}\``,
      type,
      labels.map((label) => `\`${label}\``).join(", ") || "–",
    ]);
    assert.deepEqual(documented.sort(), expected.sort());
  });

  it("gives each metric an alert of the rules, and each alert a row", () => {
    const alertsOf = rows.filter(([name]) => name?.startsWith("`spire_")).map((cells) => cells[5] ?? "");
    const named = alertsOf.flatMap(namesIn);
    assert.deepEqual([...new Set(named)].sort(), [...alertNames].sort());
    assert.deepEqual(
      alertsOf.filter((cell) => namesIn(cell).length === 0 && cell !== "see the next table"),
      [],
    );
    const described = rows.filter(([name]) => name?.startsWith("`SpireAwsKms")).map(([name]) => namesIn(name)[0]);
    assert.deepEqual(described.sort(), [...alertNames].sort());
    assert.ok([...page.matchAll(/SpireAwsKms\w+/g)].every(([name]) => alertNames.includes(name)));
  });

  it("has every log line with its fields, and no other", () => {
    const byMessage = new Map<string, LogLine[]>();
    for (const line of logLines) {
      if (line.message !== undefined) byMessage.set(line.message, [...(byMessage.get(line.message) ?? []), line]);
    }
    const section = page.slice(page.indexOf("## Log lines"));
    const documented = new Map(
      section
        .split("\n")
        .filter((line) => line.startsWith("| `"))
        .map((line) => line.slice(3).split("` | ", 1)[0] ?? "")
        .map((message) => {
          const line = section.split("\n").find((row) => row.startsWith(`| \`${message}\` | `)) ?? "";
          return [message, namesIn(line.slice(message.length + 7).split(" |", 1)[0])] as const;
        }),
    );
    assert.deepEqual([...documented.keys()].sort(), [...byMessage.keys()].sort());
    for (const [message, lines] of byMessage) {
      const told = documented.get(message) ?? [];
      const written = lines.flatMap(({ fields }) => fields.map(fieldName));
      const mayBe = lines.flatMap(({ spread, file }) =>
        spread.flatMap((text) => taken[text] ?? assert.fail(`${file}: which fields has ...${text}?`)),
      );
      assert.deepEqual(
        written.filter((field) => !told.includes(field)),
        [],
        `fields of "${message}" that the page does not tell`,
      );
      assert.deepEqual(
        told.filter((field) => !written.includes(field) && !mayBe.includes(field)),
        [],
        `fields of "${message}" that there are not`,
      );
    }
  });

  it("lists each line under its level", () => {
    const sections = page.split("\n### ").filter((text) => text.startsWith("At "));
    for (const { level, message } of logLines) {
      if (message === undefined) continue;
      const places = sections.filter((text) => text.includes(`| \`${message}\` |`)).map((text) => text.split("\n")[0]);
      assert.ok(
        places.some((title) => title?.includes(level)),
        `"${message}" is at ${level}, not ${places}`,
      );
    }
  });

  it("knows whose words it does not tell", () => {
    const unknown = logLines.filter(({ message }) => message === undefined).map(({ file }) => file.replace("src/", ""));
    assert.deepEqual(unknown.sort(), madeElsewhere);
    assert.ok(logLines.length > 80, "the reader of log lines finds them");
  });
});

describe("rules and dashboard", () => {
  const texts = [rulesFile, ...dashboardQueries];

  it("ask for metrics that exist", () => {
    const suffixes = /_(?:bucket|sum|count)$/;
    const asked = texts.flatMap((text) => [...text.matchAll(/\bspire_(?:server_)?aws_kms_\w+/g)].map(([name]) => name));
    const unknown = asked.filter(
      (name) => !families.has(name) && !families.has(name.replace(suffixes, "")) && !/aws_kms_$/.test(name),
    );
    assert.deepEqual(unknown, []);
    assert.ok(asked.length > 60);
  });

  it("ask for events and labels that exist", () => {
    const named = (label: string) =>
      texts.flatMap((text) => [...text.matchAll(new RegExp(`\\b${label}="([^"]+)"`, "g"))].map(([, value]) => value));
    assert.deepEqual([...new Set(named("event"))].sort(), [...events].sort());
    assert.deepEqual([...new Set(named("operation"))], ["Sign"]);
  });

  it("look at both places where a metric comes out", () => {
    for (const query of dashboardQueries) {
      assert.ok(/\bspire_aws_kms_/.test(query) && /\bspire_server_aws_kms_/.test(query), query);
    }
  });

  it("show every metric somewhere", () => {
    const shown = texts.join("\n");
    assert.deepEqual(
      [...families.keys()].filter((name) => !shown.includes(name)),
      [],
    );
  });
});
