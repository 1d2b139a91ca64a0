// `npm start`: builds if needed, then shows the whole plugin at work on the embedded KMS.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const run = (...args) => spawnSync(process.execPath, args, { stdio: "inherit" }).status ?? 1;
const path = (name) => fileURLToPath(new URL(name, import.meta.url));

const built = run(path("build.mjs"), "--if-needed");
process.exit(built === 0 ? run(path("../dist/bin/spire-aws-kms"), "demo", ...process.argv.slice(2)) : built);
