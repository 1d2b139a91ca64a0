/** A real browser, if this machine has one: Chromium, driven by playwright-core, looked into by axe-core. */
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";

/** As much of playwright-core as is used. */
export interface Page {
  goto(url: string): Promise<unknown>;
  setViewportSize(size: { readonly width: number; readonly height: number }): Promise<void>;
  emulateMedia(media: {
    readonly colorScheme?: "light" | "dark" | null;
    readonly media?: "screen" | "print" | null;
    readonly reducedMotion?: "reduce";
  }): Promise<void>;
  evaluate<T>(expression: string): Promise<T>;
  screenshot(options: { readonly path?: string; readonly fullPage?: boolean }): Promise<Buffer>;
  pdf(options: { readonly path?: string; readonly format?: string }): Promise<Buffer>;
  on(event: "console" | "pageerror" | "request", listener: (what: PageEvent) => void): void;
  close(): Promise<void>;
}

interface PageEvent {
  url?(): string;
  type?(): string;
  text?(): string;
  readonly message?: string;
}

export interface Browser {
  newPage(options?: {
    readonly deviceScaleFactor?: number;
    readonly javaScriptEnabled?: boolean;
    readonly bypassCSP?: boolean;
  }): Promise<Page>;
  close(): Promise<void>;
  version(): string;
}

interface Playwright {
  readonly chromium: {
    launch(options: { readonly executablePath: string; readonly args: readonly string[] }): Promise<Browser>;
  };
}

/** Why there is none; a reason to skip. */
export class NoBrowser extends Error {}

const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];

function findExecutable(): string {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  for (const name of names) {
    try {
      return execFileSync("sh", ["-c", `command -v ${name}`], { encoding: "utf8" }).trim();
    } catch {}
  }
  throw new NoBrowser("no Chromium on PATH (Debian: apt-get install chromium; elsewhere: CHROMIUM=/path)");
}

const require = createRequire(import.meta.url);

/** @throws NoBrowser */
export async function openBrowser(): Promise<Browser> {
  const executablePath = findExecutable();
  // By a name that the compiler does not follow: who has installed without it can still check types.
  const name = "playwright-core";
  const playwright = (await import(name).catch((cause: unknown) => {
    throw new NoBrowser("playwright-core is not installed: npm ci", { cause });
  })) as Playwright;
  return playwright.chromium.launch({
    executablePath,
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-dev-shm-usage",
      "--hide-scrollbars",
      "--font-render-hinting=none",
    ],
  });
}

export const axePath = (): string => require.resolve("axe-core/axe.min.js");
