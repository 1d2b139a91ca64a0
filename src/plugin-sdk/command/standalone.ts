/** `spire-plugin-sdk standalone`: the plugin with the Node.js that runs this, in one executable that needs none. */
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
import path from "node:path";
import { describeExecutable, nameOf, type Target } from "./build-executable.ts";
import { bundleText, fromProject } from "./bundle.ts";
import { standaloneText } from "./executable-text.ts";

/** What Node.js looks for in itself; the tool turns its last digit from 0 to 1. */
const fuse = "NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2";

interface Postject {
  inject(file: string, resource: string, blob: Buffer, options: { readonly sentinelFuse: string }): Promise<void>;
}

/** @returns what to tell the author */
export async function buildStandalone(target: Target): Promise<string> {
  const { inject } = await fromProject<Postject>("postject", target.entry);
  const body = await bundleText(target.entry);
  const blob = makeBlob(standaloneText({ name: nameOf(target), body }));
  const file = path.resolve(target.out);
  mkdirSync(path.dirname(file), { recursive: true });
  if (!readFileSync(process.execPath).includes(`${fuse}:0`)) {
    throw new Error(
      `${process.execPath} cannot take a program in: use a Node.js of nodejs.org or of npm's "node" package`,
    );
  }
  copyFileSync(process.execPath, `${file}.new`);
  chmodSync(`${file}.new`, 0o755);
  await inject(`${file}.new`, "NODE_SEA_BLOB", blob, { sentinelFuse: fuse });
  renameSync(`${file}.new`, file);
  return describeExecutable(target, file);
}

function makeBlob(text: string): Buffer {
  const cwd = mkdtempSync(path.join(tmpdir(), "spire-plugin-"));
  try {
    // The path of the text is in the result, so it is a bare name: two builds give the same bytes.
    writeFileSync(path.join(cwd, "plugin.js"), text);
    const config = {
      main: "plugin.js",
      output: "plugin.blob",
      disableExperimentalSEAWarning: true,
      useSnapshot: false,
      useCodeCache: false,
      // NODE_OPTIONS can load any code, which no checksum covers; Node.js before 24.6 does not know this.
      execArgvExtension: "none",
    };
    writeFileSync(path.join(cwd, "sea.json"), JSON.stringify(config));
    execFileSync(process.execPath, ["--experimental-sea-config", "sea.json"], {
      cwd,
      stdio: ["ignore", "ignore", "pipe"],
    });
    return readFileSync(path.join(cwd, "plugin.blob"));
  } finally {
    rmSync(cwd, { recursive: true, force: true });
  }
}
