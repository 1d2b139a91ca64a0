/** A project made by the packed library's command: it builds, passes, and its files are what they are said to be. */
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { nodeFloors } from "../../src/plugin-sdk/command/executable-text.ts";
import { kindNames } from "../../src/plugin-sdk/command/templates/kinds.ts";
import { toolVersions } from "../../src/plugin-sdk/command/templates/project.ts";
import { root } from "./installed-libraries.ts";
import { copyExample, openWorkshop, type Workshop } from "./projects.ts";

const manifestOf = (folder: string) =>
  JSON.parse(readFileSync(join(folder, "package.json"), "utf8")) as {
    readonly version: string;
    readonly engines: { readonly node: string };
    readonly devDependencies: Readonly<Record<string, string>>;
  };

describe("a project made by spire-plugin-sdk create", () => {
  let workshop: Workshop;
  const project = () => join(workshop.folder, "my_attestor");

  before(() => {
    workshop = openWorkshop();
    workshop.command("create", "workload-attestor", "my_attestor");
    workshop.npm("my_attestor", "test");
  });
  after(() => workshop.remove());

  it("builds one executable file with its checksum and the block that loads it", () => {
    const file = join(project(), "dist/my_attestor");
    const [sum = ""] = execFileSync("sha256sum", [file], { encoding: "utf8" }).split(" ");
    assert.equal(readFileSync(`${file}.sha256`, "utf8"), `${sum}  my_attestor\n`);
    const block = readFileSync(`${file}.conf`, "utf8");
    assert.match(block, /WorkloadAttestor "my_attestor" \{/);
    assert.ok(block.includes(`plugin_cmd = "${file}"`) && block.includes(`plugin_checksum = "${sum}"`), block);
    assert.doesNotMatch(readFileSync(file, "utf8").slice(0, 3000), /\/(?:tmp|home|root)\//);
  });

  it("makes a file that runs alone, whatever package.json lies above it", () => {
    for (const type of [undefined, "module", "commonjs"]) {
      const folder = mkdtempSync(join(tmpdir(), "alone-"));
      try {
        if (type !== undefined) writeFileSync(join(folder, "package.json"), JSON.stringify({ type }));
        execFileSync("cp", [join(project(), "dist/my_attestor"), folder]);
        assert.equal(
          execFileSync(join(folder, "my_attestor"), ["--version"], { encoding: "utf8" }),
          "my_attestor 0.1.0\n",
        );
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  });

  it("makes a file that tells SPIRE's operator when there is no node", () => {
    const bare = join(workshop.folder, "bare");
    mkdirSync(bare);
    const env = { PATH: bare, PLUGIN_PROTOCOL_VERSIONS: "1" };
    const { status, stdout, stderr } = spawnSync(join(project(), "dist/my_attestor"), { env, encoding: "utf8" });
    assert.equal(status, 127);
    assert.match(stdout, /^my_attestor needs Node\.js 20\.19 .* no node that can be started is on PATH \(.*bare\)/);
    assert.match(stderr, /\{"@level":"error","@module":"my_attestor","@message":"my_attestor needs Node/);
    const old = join(workshop.folder, "old");
    mkdirSync(old);
    writeFileSync(join(old, "node"), `#!/bin/sh\nexec ${process.execPath} -r ${join(old, "old.cjs")} "$@"\n`);
    writeFileSync(join(old, "old.cjs"), 'Object.defineProperty(process, "versions", { value: { node: "18.1.0" } });');
    chmodSync(join(old, "node"), 0o755);
    const tooOld = spawnSync(join(project(), "dist/my_attestor"), { env: { PATH: old }, encoding: "utf8" });
    assert.equal(tooOld.status, 1);
    assert.match(tooOld.stderr, /needs Node\.js .* this is 18\.1\.0/);
  });

  it("is looked at as SPIRE would by its check", () => {
    const text = workshop.npm("my_attestor", "check");
    assert.match(text, /^ok {4}handshake: /m);
    assert.match(text, /is fit for SPIRE/);
  });

  it("is not made over what is there, nor of a kind or with a name that cannot be", () => {
    for (const [args, problem] of [
      [["create", "notifier", "my_attestor"], /my_attestor is there and not empty/],
      [["create", "key-keeper", "other"], /the kinds are .*workload-attestor/],
      [["create", "notifier", "My Plugin"], /"My Plugin" is no name for a plugin/],
      [["create"], /create needs a KIND and a FOLDER/],
      [["bundle", "x.ts"], /needs an ENTRY and --out FILE/],
      [["check", "missing"], /it is not there/],
      [["frobnicate"], /there is no command "frobnicate"/],
    ] as const) {
      assert.throws(() => workshop.command(...args), problem);
    }
    assert.match(workshop.command("--help"), /create KIND FOLDER/);
  });
});

describe("the examples", () => {
  let workshop: Workshop;
  before(() => {
    workshop = openWorkshop();
  });
  after(() => workshop.remove());

  for (const [name, kind] of [
    ["systemd_unit", "workload-attestor"],
    ["command_authority", "upstream-authority"],
  ] as const) {
    it(`${name} is a project made for a ${kind}, and passes its own tests`, () => {
      workshop.command("create", kind, `made/${name}`);
      copyExample(workshop, name);
      const filesOf = (folder: string) =>
        readdirSync(join(workshop.folder, folder), { recursive: true, encoding: "utf8" });
      const ours = filesOf(name);
      assert.deepEqual(
        filesOf(`made/${name}`).filter((file) => !ours.includes(file)),
        [],
      );
      for (const file of ["tsconfig.json", ".gitignore", "test/executable.test.ts"]) {
        const [kept, fresh] = [name, `made/${name}`].map((folder) =>
          readFileSync(join(workshop.folder, folder, file), "utf8"),
        );
        assert.equal(kept, fresh, file);
      }
      assert.deepEqual(
        manifestOf(join(workshop.folder, name)).devDependencies,
        manifestOf(join(workshop.folder, "made", name)).devDependencies,
      );
      workshop.npm(name, "test");
    });
  }
});

describe("what new projects name", () => {
  it("are the tools that this repository is tested with", () => {
    const own = manifestOf(root);
    for (const [name, range] of Object.entries(toolVersions)) {
      assert.equal(range.replace("^", ""), own.devDependencies[name], name);
    }
    const { oldLine, oldMinor, newLine, newMinor } = nodeFloors;
    assert.equal(own.engines.node, `^${oldLine}.${oldMinor}.0 || >=${newLine}.${newMinor}.0`);
  });

  it("is every kind of SPIRE, in the README of the library", () => {
    const readme = readFileSync(join(root, "src/plugin-sdk/README.md"), "utf8");
    for (const kind of kindNames) assert.ok(readme.includes(`\`${kind}\``), kind);
  });
});
