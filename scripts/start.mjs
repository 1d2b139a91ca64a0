// `npm start`: builds if needed, then shows the whole plugin at work on the embedded KMS.
import "./node-floor.mjs";
import { spawn } from "node:child_process";
import { constants } from "node:os";
import { fileURLToPath } from "node:url";

// Ctrl-C reaches what runs, too, which has to tidy up: this process ends after it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => undefined);

const run = (...args) =>
  new Promise((resolve) => {
    const child = spawn(process.execPath, args, { stdio: "inherit" });
    child.once("error", () => resolve(1));
    child.once("exit", (code, signal) => resolve(code ?? 128 + (constants.signals[signal] ?? 0)));
  });
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const built = await run(path("build.mjs"), "--if-needed");
process.exit(built === 0 ? await run(path("../dist/bin/spire-aws-kms"), "demo", ...process.argv.slice(2)) : built);
