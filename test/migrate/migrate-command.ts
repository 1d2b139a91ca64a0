import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { region } from "../plugin/harness/settings.ts";
import type { Stage } from "../plugin/harness/stage.ts";

const cli = fileURLToPath(new URL("../../dist/bin/spire-aws-kms", import.meta.url));

if (!existsSync(cli)) throw new Error(`${cli} is not there; run "npm run build" first`);

/** Who the command is to KMS; the plugins are others. */
export const operator = {
  accessKeyId: "AKIAMIGRATIONTEST001",
  secretAccessKey: "Not/Shown+By0The1Command2EitherOfThem3",
};

export const isOperator = (_input: unknown, caller: { readonly accessKeyId: string | undefined }): boolean =>
  caller.accessKeyId === operator.accessKeyId;

export interface CommandResult {
  /** Null when it was killed. */
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunningCommand {
  readonly result: Promise<CommandResult>;
  kill(): Promise<void>;
}

const timeoutMs = 30_000;

/** Nothing of the developer's own AWS settings. */
const environment = (stage: Stage) => ({
  PATH: process.env.PATH,
  HOME: stage.folder,
  AWS_EC2_METADATA_DISABLED: "true",
  AWS_ACCESS_KEY_ID: operator.accessKeyId,
  AWS_SECRET_ACCESS_KEY: operator.secretAccessKey,
});

function resultOf(child: ChildProcess): Promise<CommandResult> {
  let stdout = "";
  let stderr = "";
  child.stdout?.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr?.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  return new Promise((resolve) => child.once("close", (code) => resolve({ code, stdout, stderr })));
}

/** Starts `spire-aws-kms migrate` on the stage's KMS. */
export function startMigrate(stage: Stage, args: readonly string[], env: Record<string, string> = {}): RunningCommand {
  const child = spawn(cli, ["migrate", ...args], {
    cwd: stage.folder,
    env: { ...environment(stage), ...env },
    stdio: ["ignore", "pipe", "pipe"],
    timeout: timeoutMs,
  });
  const result = resultOf(child);
  return {
    result,
    async kill() {
      child.kill("SIGKILL");
      await result;
    },
  };
}

/** The flags that every run needs on the stage's KMS. */
export const onStage = (stage: Stage): readonly string[] => ["--region", region, "--endpoint", stage.emulator.endpoint];

export async function runMigrate(stage: Stage, ...args: readonly string[]): Promise<CommandResult> {
  return startMigrate(stage, [...args, ...onStage(stage)]).result;
}
