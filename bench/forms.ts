/**
 * Size, start and memory of each form of the plugin: `npm run bench:forms`, after `npm run build` and `npm run build:standalone`.
 *
 *   node --import tsx bench/forms.ts [rounds]    `NODES=path,path` measures the script on other Node.js, too
 *
 * The table goes to stdout and, between its marks, into the decision that rests on it.
 */
import { execFileSync, spawn } from "node:child_process";

import { existsSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { arch, cpus, loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const rounds = Number(process.argv[2] ?? 15);
const script = join(root, "dist/bin/aws_kms");
const standalone = join(root, `dist/standalone/linux-${arch()}/aws_kms`);

interface Form {
  readonly title: string;
  readonly file: string;
  readonly env: Readonly<Record<string, string>>;
}

const versionOf = (node: string) => execFileSync(node, ["--version"], { encoding: "utf8" }).trim().slice(1);
const { nodeRelease } = (await import(new URL("../scripts/standalone/node-release.mjs", import.meta.url).href)) as {
  nodeRelease: string;
};

const nodes = [process.execPath, ...(process.env.NODES?.split(",") ?? [])].map((node) => ({
  node,
  version: versionOf(node),
}));
/** As a host starts it: the script's first line is `/bin/sh`, which becomes the first node on PATH. */
const scriptOn = (node: string, options = "") => ({
  file: script,
  env: { PATH: `${dirname(node)}:/usr/bin:/bin`, NODE_OPTIONS: options },
});
const forms: readonly Form[] = [
  ...nodes.flatMap(({ node, version }) => [
    { title: `script on Node.js ${version}`, ...scriptOn(node) },
    { title: `script on Node.js ${version}, \`--jitless\``, ...scriptOn(node, "--jitless") },
  ]),
  { title: `standalone (Node.js ${nodeRelease})`, file: standalone, env: {} },
].filter(({ file }) => existsSync(file));

interface Start {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly residentMb: number;
}

/** Linux counts CPU in hundredths of a second unless it was built otherwise. */
const msPerTick = 10;

function readProcess(pid: number): { cpuMs: number; residentMb: number } {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8")
    .replace(/^.*\) /, "")
    .split(" ");
  const [, resident = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return { cpuMs: (Number(fields[11]) + Number(fields[12])) * msPerTick, residentMb: Number(resident) / 1024 };
}

function start({ file, env }: Form): Promise<Start> {
  const began = performance.now();
  const child = spawn(file, [], {
    env: { ...process.env, KeyManager: "KeyManager", ...env },
    stdio: ["ignore", "pipe", "ignore"],
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.stdout.once("data", () => {
      const result = { wallMs: performance.now() - began, ...readProcess(child.pid ?? 0) };
      child.once("exit", () => resolve(result));
      child.kill("SIGKILL");
    });
  });
}

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

const results = forms.map(() => [] as Start[]);
for (let round = 0; round < rounds; round++) {
  for (const [index, form] of forms.entries()) results[index]?.push(await start(form));
}
const rows = forms.map(({ title, file }, index) => {
  const starts = results[index] ?? [];
  const cells = [
    (statSync(file).size / 1e6).toFixed(1),
    median(starts.map(({ wallMs }) => wallMs)).toFixed(0),
    (starts.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / starts.length).toFixed(0),
    median(starts.map(({ residentMb }) => residentMb)).toFixed(0),
  ];
  return `| ${title} | ${cells.join(" | ")} |`;
});
const waiting = loadavg()[0] ?? Number.NaN;
const text = [
  "| form | file, MB | to the handshake, ms | CPU, ms | resident, MB |",
  "| --- | --- | --- | --- | --- |",
  ...rows,
  "",
  `(\`npm run bench:forms\`, ${rounds} rounds in turn on ${cpus().length} processors, load ${waiting.toFixed(0)}; where the load is above the number of processors, only ratios count.)`,
  "",
].join("\n");
console.log(text);
const page = join(root, "docs/decisions/0022-standalone.md");
const marks = /(<!-- forms: written by the run -->\n)[\s\S]*?(<!-- end of forms -->)/;
const before = readFileSync(page, "utf8");
if (existsSync(standalone))
  writeFileSync(
    page,
    before.replace(marks, (_, open, close) => `${open}${text}${close}`),
  );
else
  console.log(
    "The table in docs/decisions/0022-standalone.md stays as it is: there is no standalone executable to measure.",
  );
