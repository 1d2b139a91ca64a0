/**
 * Builds dist/standalone/linux-<architecture>: executables that bring their Node.js along (`npm run build:standalone`).
 *
 *   node scripts/standalone/build.mjs [--arch x64,arm64] [--out folder]
 *
 * Two builds give the same bytes: the release of Node.js is pinned, no path of this machine goes in, and there is no code
 * cache, which V8 makes different each time and for its own architecture only. So arm64 is made here without being run.
 */
import "../node-floor.mjs";
import { execFileSync } from "node:child_process";
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import postject from "postject";
import { heapLimits } from "../executable-head.mjs";
import { executables } from "../executables.mjs";
import { thirdPartyLicences } from "../third-party-licences.mjs";
import { architectures, nodeFor, nodeRelease } from "./node-release.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const { version, engines } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));

/** What Node.js looks for in itself; the tool turns its last digit from 0 to 1. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

/** The same text for every architecture. The path is in the result, so it is a bare name. */
function makeBlob(folder, name, text) {
  writeFileSync(join(folder, `${name}.js`), text);
  const config = {
    main: `${name}.js`,
    output: `${name}.blob`,
    disableExperimentalSEAWarning: true,
    useSnapshot: false,
    useCodeCache: false,
    // NODE_OPTIONS can load any code, which no checksum covers.
    execArgvExtension: "none",
    execArgv: heapLimits.split(" "),
  };
  writeFileSync(join(folder, `${name}.json`), JSON.stringify(config));
  const { node } = nodeFor(process.arch);
  execFileSync(node, ["--experimental-sea-config", `${name}.json`], {
    cwd: folder,
    stdio: ["ignore", "ignore", "inherit"],
  });
  return readFileSync(join(folder, `${name}.blob`));
}

async function makeExecutable(path, node, blob) {
  copyFileSync(node, `${path}.new`);
  chmodSync(`${path}.new`, 0o755);
  await postject.inject(`${path}.new`, "NODE_SEA_BLOB", blob, { sentinelFuse: fuse });
  renameSync(`${path}.new`, path);
}

const { values } = parseArgs({ options: { arch: { type: "string" }, out: { type: "string" } } });
const out = values.out ?? join(root, "dist/standalone");
const folder = mkdtempSync(join(tmpdir(), "standalone-"));
try {
  const inputs = new Set();
  const blobs = [];
  for (const [name, { entry, toText }] of Object.entries(executables)) {
    const text = await toText({ root, version, engines: engines.node, inputs, isStandalone: true }, entry, name);
    blobs.push([name, makeBlob(folder, name, text)]);
  }
  for (const architecture of values.arch?.split(",") ?? architectures) {
    const { node, licence } = nodeFor(architecture);
    const target = join(out, `linux-${architecture}`);
    mkdirSync(target, { recursive: true });
    for (const [name, blob] of blobs) await makeExecutable(join(target, name), node, blob);
    const node24 = `Node.js ${nodeRelease}, which the executables beside this file contain:\n\n${readFileSync(licence, "utf8")}`;
    writeFileSync(join(target, "THIRD-PARTY-LICENSES.txt"), `${thirdPartyLicences(root, inputs)}\n${node24}`);
    console.log(`${target}: ${blobs.map(([name]) => name).join(", ")} with Node.js ${nodeRelease}`);
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
