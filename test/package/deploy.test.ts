/** The files of deploy/ and the release workflow, as far as they can be checked without Docker, a cluster and GitHub. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { awsKmsSettingNames } from "../../src/plugin/aws-kms/settings.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));
const read = (path: string) => readFileSync(join(root, path), "utf8");

/** The folder's place is fixed in the executables. */
const [, home = ""] = /^export const home = "(.+)";$/m.exec(read("scripts/standalone/scratch.mjs")) ?? [];

const yamlFiles = ["deploy/helm/values.yaml", ".github/workflows/release.yml", ".github/workflows/ci.yml"];

/** What Python's YAML reader makes of a file; undefined where there is none. */
function parseYaml(path: string): unknown {
  const program = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
  const { status, stdout, stderr } = spawnSync("python3", ["-c", program, join(root, path)], { encoding: "utf8" });
  if (status === 0) return JSON.parse(stdout);
  if (status === null || stderr.includes("ModuleNotFoundError")) return undefined;
  throw new Error(stderr);
}

describe("deploy/", () => {
  it("puts the folder where the executables look for their loader", () => {
    assert.equal(home, "/opt/spire-aws-kms");
    const copies = [...read("deploy/docker/Dockerfile").matchAll(/^COPY --from=build (\S+) (\S+)$/gm)];
    assert.deepEqual(
      copies.map(([, from, to]) => [from, to]),
      [
        [`/src/dist/scratch${home}`, home],
        [`/src/dist/scratch${home}`, home],
      ],
    );
    assert.match(read("deploy/helm/values.yaml"), new RegExp(`^      mountPath: ${home}$`, "m"));
  });

  for (const path of yamlFiles) {
    it(`${path} is YAML`, (t) => {
      const tree = parseYaml(path);
      if (tree === undefined) return t.skip("python3 has no yaml module");
      assert.equal(typeof tree, "object");
    });
  }

  it("the chart's values name settings and keys that exist, and volumes that are mounted", (t) => {
    const tree = parseYaml("deploy/helm/values.yaml");
    if (tree === undefined) return t.skip("python3 has no yaml module");
    const server = (tree as { "spire-server": Values })["spire-server"];
    const plugin = server.customPlugins.keyManager.aws_kms;
    // The chart refuses any other key.
    assert.deepEqual(Object.keys(plugin).sort(), ["plugin_checksum", "plugin_cmd", "plugin_data"]);
    assert.equal(plugin.plugin_cmd, `${home}/aws_kms`);
    for (const name of Object.keys(plugin.plugin_data)) assert.ok(awsKmsSettingNames.includes(name), name);
    const volumes = server.extraVolumes.map(({ name }) => name);
    const mounted = [...server.extraVolumeMounts, ...server.initContainers.flatMap(({ volumeMounts }) => volumeMounts)];
    for (const { name } of mounted) assert.ok(volumes.includes(name), name);
  });

  it("systemd understands every line of the drop-in", (t) => {
    const folder = mkdtempSync(join(tmpdir(), "unit-"));
    try {
      mkdirSync(join(folder, "spire-server.service.d"));
      writeFileSync(join(folder, "spire-server.service"), "[Service]\nExecStart=/bin/true\n");
      writeFileSync(join(folder, "spire-server.service.d/aws-kms.conf"), read("deploy/systemd/aws-kms.conf"));
      const { status, stderr, error } = spawnSync("systemd-analyze", ["verify", "--man=no", "spire-server.service"], {
        encoding: "utf8",
        cwd: folder,
        env: { ...process.env, SYSTEMD_UNIT_PATH: `${folder}:` },
      });
      if (error !== undefined) return t.skip("systemd-analyze is not installed");
      const complaints = stderr.split("\n").filter((line) => line.includes("aws-kms.conf"));
      assert.deepEqual([status, complaints], [0, []], stderr);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  });
});

interface Values {
  readonly customPlugins: { readonly keyManager: { readonly aws_kms: Plugin } };
  readonly extraVolumes: readonly { readonly name: string }[];
  readonly extraVolumeMounts: readonly { readonly name: string }[];
  readonly initContainers: readonly { readonly volumeMounts: readonly { readonly name: string }[] }[];
}

interface Plugin {
  readonly plugin_cmd: string;
  readonly plugin_checksum: string;
  readonly plugin_data: Readonly<Record<string, unknown>>;
}

describe("a release's notes", () => {
  const notes = (version: string, text: string) => {
    const program = `import { changesOf } from "./scripts/changes.mjs"; process.stdout.write(changesOf(process.argv[1], process.argv[2]));`;
    return execFileSync(process.execPath, ["--input-type=module", "-e", program, text, version], {
      encoding: "utf8",
      cwd: root,
    });
  };
  const log =
    "# Change log\n\n## Unreleased\n\n- new\n\n## 1.2.0 – 2026-01-01\n\n- a\n\n## 1.1.0 – 2025-01-01\n\n- b\n";

  it("are the version's own section, and what is unreleased before it has one", () => {
    assert.equal(notes("1.1.0", log), "## 1.1.0 – 2025-01-01\n\n- b\n");
    assert.equal(notes("1.2.0", log), "## 1.2.0 – 2026-01-01\n\n- a\n");
    assert.equal(notes("1.3.0", log), "## Unreleased\n\n- new\n");
  });
});
