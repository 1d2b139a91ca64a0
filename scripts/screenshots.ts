/**
 * Makes the pictures of docs/images from real runs: the report at 0, 5 and 5,000 keys, `keys` and the demonstration in a terminal.
 *
 *   npm run docs:screenshots      needs Chromium (CHROMIUM=/path, or on PATH) and what `npm run build` made
 */
import { spawn } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { AccountWithPast, type PastOptions, region, trustDomain } from "../test/report/account-with-past.ts";
import { type Browser, openBrowser } from "../test/report/browser.ts";
import { terminalSvg } from "./terminal-svg.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const images = join(root, "docs/images");
const command = join(root, "dist/bin/spire-aws-kms");

/** Runs it in a terminal of its own, so that it shows what a person sees; `script` is in util-linux. */
function run(args: readonly string[], endpoint: string, { isTerminal = false } = {}): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    LANG: "C.UTF-8",
    TERM: "xterm-256color",
    COLUMNS: "132",
    AWS_ACCESS_KEY_ID: "test",
    AWS_SECRET_ACCESS_KEY: "test",
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL: endpoint,
  };
  const line = [command, ...args].map((word) => `'${word}'`).join(" ");
  const child = isTerminal
    ? spawn("script", ["-qec", `stty cols 132 rows 60; ${line} 2>/dev/null`, "/dev/null"], {
        env,
        stdio: ["ignore", "pipe", "inherit"],
      })
    : spawn(command, args, { env, stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    output += chunk.toString("utf8");
  });
  return new Promise((resolve, reject) => {
    child.on("error", reject);
    // Where the repository lies on this machine is no one's business.
    child.on("close", () => resolve(output.replaceAll(root, "./")));
  });
}

const where = ["--trust-domain", trustDomain, "--region", region];

const accounts: Readonly<Record<string, PastOptions>> = {
  "0-keys": { servers: 0 },
  "5-keys": { servers: 2, ids: 2, ended: 0.5, orphans: 1 },
  "5000-keys": { servers: 485, ids: 9, ended: 0.012, orphans: 6, disabled: 2, rotationDays: 28 },
};

const looks = [
  { name: "light", width: 1280, height: 1500, media: { colorScheme: "light", media: "screen" } },
  { name: "dark", width: 1280, height: 1500, media: { colorScheme: "dark", media: "screen" } },
  { name: "phone", width: 390, height: 1500, media: { colorScheme: "dark", media: "screen" } },
  { name: "print", width: 800, height: 1130, media: { colorScheme: "light", media: "print" } },
] as const;

async function shoot(browser: Browser, name: string, page: string, folder: string): Promise<void> {
  const file = join(folder, `${name}.html`);
  await writeFile(file, page);
  for (const look of looks) {
    if (name === "0-keys" && look.name !== "light") continue;
    const tab = await browser.newPage();
    await tab.setViewportSize({ width: look.width, height: name === "0-keys" ? 900 : look.height });
    await tab.emulateMedia(look.media);
    await tab.goto(`file://${file}`);
    await tab.screenshot({ path: join(images, `report-${name}-${look.name}.png`) });
    await tab.close();
  }
}

const browser = await openBrowser();
const folder = await mkdtemp(join(tmpdir(), "screenshots-"));
try {
  for (const [name, options] of Object.entries(accounts)) {
    const account = await AccountWithPast.start(options, { journalLimit: 0 });
    const { endpoint } = account.emulator;
    const page = await run(["report", ...where, "--html", "-", "--rate", "2000", "--nameless", "all"], endpoint);
    await shoot(browser, name, page, folder);
    if (name === "5-keys") {
      const shown = await run(["keys", ...where], endpoint, { isTerminal: true });
      await writeFile(join(images, "keys.svg"), terminalSvg(`spire-aws-kms keys ${where.join(" ")}`, shown));
    }
    await account.emulator.close();
    console.log(`${name}: ${page.length} characters`);
  }
  const demo = await run(["demo"], "http://127.0.0.1:9", { isTerminal: true });
  await writeFile(join(images, "demo.svg"), terminalSvg("spire-aws-kms demo", demo));
} finally {
  await browser.close();
  await rm(folder, { recursive: true, force: true });
}
