/** The two emulators as processes: ours, and local-kms, built from its Go module. */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { Connection, type Target } from "./client.ts";

const run = promisify(execFile);

/** The peer, pinned. */
export const peerModule = "github.com/nsmithuk/local-kms";
export const peerVersion = "v0.0.0-20260228092603-2a5e92d09ab6";

/** A process that serves, and what the kernel has counted for it. */
export interface ServerProcess extends Target {
  readonly name: string;
  /** Nanoseconds on a processor, of all threads. */
  cpuNs(): number;
  /** Mebibytes of resident memory. */
  residentMib(): number;
  close(): Promise<void>;
}

/** To the nanosecond, unlike /proc/PID/stat. Threads that have ended are not in it; neither server ends any. */
function cpuNs(pid: number): number {
  return readdirSync(`/proc/${pid}/task`).reduce((sum, thread) => {
    const [spent = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ");
    return sum + Number(spent);
  }, 0);
}

function residentMib(pid: number): number {
  const [, kib = "0"] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8")) ?? [];
  return Number(kib) / 1024;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  return typeof address === "object" && address !== null ? address.port : 0;
}

async function isServing(target: Target): Promise<boolean> {
  const connection = new Connection(target);
  const request = Buffer.from("GET / HTTP/1.1\r\nhost: x\r\n\r\n");
  const answered = await connection.send(request).then(
    () => true,
    () => false,
  );
  connection.close();
  return answered;
}

function processOf(name: string, child: ChildProcess, port: number, cleanUp = () => {}): ServerProcess {
  const pid = child.pid ?? 0;
  return {
    name,
    host: "127.0.0.1",
    port,
    cpuNs: () => cpuNs(pid),
    residentMib: () => residentMib(pid),
    async close() {
      const ended = child.exitCode === null ? once(child, "exit") : undefined;
      child.kill("SIGKILL");
      await ended;
      cleanUp();
    },
  };
}

async function serving(server: ServerProcess): Promise<ServerProcess> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    if (await isServing(server)) return server;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  await server.close();
  throw new Error(`${server.name} does not serve`);
}

const executable = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));

/** @param program another build of ours, to compare with */
export async function startOurs(program = executable, extra: readonly string[] = []): Promise<ServerProcess> {
  if (!existsSync(program)) throw new Error(`${program} is not there; run "npm run build"`);
  const port = await freePort();
  const flags = ["--listen", `127.0.0.1:${port}`, "--region", "eu-west-2", "--no-aws-aliases", ...extra];
  const child = spawn(process.execPath, [program, "emulator", ...flags], { stdio: ["ignore", "ignore", "inherit"] });
  return serving(processOf("this emulator", child, port));
}

/** Builds local-kms into `folder`. Throws if there is no Go, or no way to its module. */
export async function buildPeer(folder: string): Promise<string> {
  const program = join(folder, "local-kms");
  if (existsSync(program)) return program;
  writeFileSync(join(folder, "go.mod"), "module example.org/peer\n\ngo 1.24\n");
  const options = { cwd: folder, env: { ...process.env, GOFLAGS: "-mod=mod" }, timeout: 600_000 };
  await run("go", ["get", `${peerModule}@${peerVersion}`], options);
  await run("go", ["build", "-o", program, peerModule], options);
  return program;
}

export async function startPeer(program: string): Promise<ServerProcess> {
  const port = await freePort();
  const data = mkdtempSync(join(tmpdir(), "local-kms-"));
  const env = { ...process.env, PORT: String(port), KMS_DATA_PATH: data, KMS_SEED_PATH: join(data, "none") };
  const child = spawn(program, [], { env, stdio: "ignore" });
  return serving(processOf("local-kms", child, port, () => rmSync(data, { recursive: true, force: true })));
}
