/** The report in a real browser: axe finds nothing, nothing is fetched, nothing overflows; with 0, 5 and 5,000 keys. */
import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it, type TestContext } from "node:test";
import { levels } from "../../src/cli/doctor/finding.ts";
import { pageOf } from "../../src/cli/report/html/page.ts";
import type { DoctorReport } from "../../src/cli/report/report-data.ts";
import { axePath, type Browser, NoBrowser, openBrowser, type Page } from "./browser.ts";
import { daysAgo, manyRows, pending, report, row, summary } from "./sample-data.ts";

const troubled = [
  row({ keyId: "a1", isOwnServer: true }),
  row({ keyId: "a2", spireKeyId: "JWT-Signer-A", createdAt: daysAgo(3), aliasCreatedAt: daysAgo(20) }),
  row({ keyId: "a3", serverId: "server-2", class: "stale", refreshedAt: daysAgo(20), createdAt: daysAgo(30) }),
  row({ keyId: "a4", serverId: undefined, spireKeyId: undefined, class: "orphaned", refreshedAt: undefined }),
  pending("a5"),
];
const longName = `alias/SPIRE_SERVER/example_org/${"a".repeat(200)}`;
const doctor: DoctorReport = {
  findings: levels.map((level) => ({
    check: "permissions",
    level,
    finding: `kms:Sign: ${level}: ${longName}`,
    ...(level === "ok" ? {} : { remedy: `allow kms:Sign on ${longName}`, permission: "kms:Sign" }),
  })),
  unchecked: [{ what: "whether the plugin starts", how: "doctor --spire-bin starts it" }],
};
const hostileName = `"><img src=x onerror="document.title='taken'">${"\u202e"}<script>document.title='taken'</script>`;

const pages: Readonly<Record<string, string>> = {
  "no keys": pageOf(report([])),
  "5 keys": pageOf(report(troubled, { doctor })),
  "150 keys": pageOf(report([...manyRows(18), ...troubled])),
  "5,000 keys": pageOf(
    report([...manyRows(618), ...troubled, ...Array.from({ length: 51 }, (_, index) => pending(`p${index}`))]),
  ),
  "hostile names": pageOf(
    report(
      [row({ keyId: hostileName, serverId: hostileName, spireKeyId: hostileName, class: "stale", why: hostileName })],
      {
        trustDomain: hostileName,
        summary: summary([row({ keyId: "a" })], { namelessNotLookedAt: 3 }),
        doctor: {
          findings: [{ check: hostileName, level: "ok", finding: hostileName }],
          unchecked: [{ what: hostileName, how: hostileName }],
        },
      },
    ),
  ),
};

const looks = [
  { name: "light", width: 1280, height: 900, media: { colorScheme: "light", media: "screen" } },
  { name: "dark", width: 1280, height: 900, media: { colorScheme: "dark", media: "screen" } },
  { name: "phone", width: 360, height: 740, media: { colorScheme: "light", media: "screen" } },
  { name: "phone, dark", width: 360, height: 740, media: { colorScheme: "dark", media: "screen" } },
  { name: "print", width: 800, height: 1100, media: { colorScheme: "light", media: "print" } },
] as const;

interface AxeResult {
  readonly id: string;
  readonly impact: string;
  readonly nodes: readonly string[];
}

describe("the report in a browser", () => {
  let browser: Browser | undefined;
  let reason = "";
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), "report-browser-"));
    browser = await openBrowser().catch((error: unknown) => {
      if (!(error instanceof NoBrowser)) throw error;
      reason = error.message;
      return undefined;
    });
  });
  after(async () => {
    await browser?.close();
    await rm(folder, { recursive: true, force: true });
  });

  /** Opens a page; the policy of it is off only where axe itself has to run. */
  async function open(t: TestContext, name: string, bypassCSP: boolean) {
    if (browser === undefined) {
      t.skip(reason);
      return undefined;
    }
    const file = join(folder, `${encodeURIComponent(name)}.html`);
    await writeFile(file, pages[name] ?? "");
    const page = await browser.newPage({ bypassCSP });
    t.after(() => page.close());
    const heard: string[] = [];
    page.on("console", (message) => heard.push(message.text?.() ?? ""));
    page.on("pageerror", (error) => heard.push(error.message ?? ""));
    page.on("request", (request) => heard.push(request.url?.() ?? ""));
    await page.goto(`file://${file.replaceAll("%", "%25")}`);
    return { page, heard, file };
  }

  const look = (page: Page, { width, height, media }: (typeof looks)[number]) =>
    Promise.all([page.setViewportSize({ width, height }), page.emulateMedia({ ...media, reducedMotion: "reduce" })]);

  for (const name of Object.keys(pages)) {
    it(`with ${name}: axe finds nothing, in any look`, { timeout: 600_000 }, async (t) => {
      const opened = await open(t, name, true);
      if (opened === undefined) return;
      const { page } = opened;
      await page.evaluate(await readFile(axePath(), "utf8"));
      // Of thousands of rows that are alike, those that are drawn, once.
      const isLarge = name === "5,000 keys";
      if (!isLarge) await page.evaluate(`document.querySelectorAll("details").forEach((one) => { one.open = true; })`);
      for (const one of isLarge ? looks.slice(0, 1) : looks) {
        await look(page, one);
        const found = await page.evaluate<AxeResult[]>(
          `axe.run(document, { resultTypes: ["violations"] }).then(({ violations }) => violations.map(({ id, impact, nodes }) => ({ id, impact, nodes: nodes.slice(0, 3).map(({ html, failureSummary }) => html.slice(0, 200) + " " + failureSummary) })))`,
        );
        assert.deepEqual(found, [], `${name}, ${one.name}`);
      }
    });

    it(`with ${name}: asks for nothing, runs nothing, and does not overflow`, { timeout: 300_000 }, async (t) => {
      const opened = await open(t, name, false);
      if (opened === undefined) return;
      const { page, heard } = opened;
      for (const one of looks) {
        await look(page, one);
        const over = await page.evaluate<number>(
          "document.documentElement.scrollWidth - document.documentElement.clientWidth",
        );
        assert.equal(over, 0, `${name}, ${one.name}: ${over} pixels too wide`);
      }
      assert.notEqual(await page.evaluate("document.title"), "taken");
      assert.equal(await page.evaluate("document.scripts.length + document.images.length"), 0);
      assert.deepEqual(heard.slice(1), [], "one request, for the page itself");
      assert.match(heard[0] ?? "", /^file:/);
    });
  }

  it("takes a foreign script for what it is: the page's policy refuses it", async (t) => {
    const opened = await open(t, "5 keys", false);
    if (opened === undefined) return;
    const { page, heard } = opened;
    await page.evaluate(
      `(() => { const s = document.createElement("script"); s.textContent = "document.title = 'taken'"; document.body.append(s); const i = new Image(); i.src = "http://127.0.0.1:9/x"; document.body.append(i); })()`,
    );
    assert.notEqual(await page.evaluate("document.title"), "taken");
    assert.ok(heard.some((text) => /Content Security Policy/.test(text)));
  });
});
