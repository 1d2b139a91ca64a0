/** Size, start and memory of each form of the plugin: `npm run bench:forms`, after `npm run build` and `npm run build:standalone`. */
import { spawn } from "node:child_process";
import { existsSync, readFileSync, statSync } from "node:fs";
import { arch } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const rounds = Number(process.argv[2] ?? 15);
const script = join(root, "dist/bin/aws_kms");
const standalone = join(root, `dist/standalone/linux-${arch()}/aws_kms`);

interface Form {
  readonly title: string;
  readonly command: readonly string[];
  readonly file: string;
}

/** `NODES=path,path` measures the script on other Node.js, too. */
const nodes = [process.execPath, ...(process.env.NODES?.split(",") ?? [])];
const forms: readonly Form[] = [
  ...nodes.flatMap((node) => [
    { title: `script on ${node}`, command: [node, script], file: script },
    { title: `script on ${node}, --jitless`, command: [node, "--jitless", script], file: script },
  ]),
  { title: "standalone", command: [standalone], file: standalone },
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

function start({ command: [file = "", ...args] }: Form): Promise<Start> {
  const began = performance.now();
  const child = spawn(file, args, {
    env: { ...process.env, KeyManager: "KeyManager" },
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
console.log("| form | file, MB | to the handshake, ms | CPU, ms | resident, MB |\n| --- | --- | --- | --- | --- |");
for (const [index, { title, file }] of forms.entries()) {
  const starts = results[index] ?? [];
  const cells = [
    (statSync(file).size / 1e6).toFixed(1),
    median(starts.map(({ wallMs }) => wallMs)).toFixed(0),
    (starts.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / starts.length).toFixed(0),
    median(starts.map(({ residentMb }) => residentMb)).toFixed(0),
  ];
  console.log(`| ${title} | ${cells.join(" | ")} |`);
}
