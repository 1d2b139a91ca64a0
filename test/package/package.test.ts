/** What is published: the packed tarball, unpacked elsewhere. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

describe("the packed package", () => {
  let folder = "";
  let files: readonly string[] = [];

  before(() => {
    folder = mkdtempSync(join(tmpdir(), "package-"));
    const options = { cwd: root, encoding: "utf8", stdio: "pipe" } as const;
    const packed = JSON.parse(
      execFileSync("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", folder], options),
    ) as readonly { filename: string; files: readonly { path: string }[] }[];
    const [tarball] = packed;
    assert.ok(tarball);
    files = tarball.files.map(({ path }) => path);
    execFileSync("tar", ["-xzf", join(folder, tarball.filename), "-C", folder]);
    // As npm would lay it out beside its dependencies.
    mkdirSync(join(folder, "project", "node_modules"), { recursive: true });
    symlinkSync(join(folder, "package"), join(folder, "project", "node_modules", "spire-aws-kms"));
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const inProject = (script: string) => {
    const file = join(folder, "project", "script.mjs");
    writeFileSync(file, script);
    return execFileSync(process.execPath, [file], { encoding: "utf8", cwd: join(folder, "project"), timeout: 30_000 });
  };

  it("holds what people use, and neither tests nor sources", () => {
    for (const path of ["dist/bin/aws_kms", "dist/bin/kms", "dist/bin/spire-aws-kms", "LICENSE", "README.md"]) {
      assert.ok(files.includes(path), path);
    }
    assert.deepEqual(
      // The examples are whole projects.
      files.filter((path) => /\.test\.|^src\/|^test\//.test(path) && !path.startsWith("examples/")),
      [],
    );
  });

  it("names the packages inside the executables, with their licences", () => {
    const text = readFileSync(join(folder, "package/dist/bin/THIRD-PARTY-LICENSES.txt"), "utf8");
    for (const name of ["@aws-sdk/client-kms", "@grpc/grpc-js", "@bufbuild/protobuf", "commander", "valibot"]) {
      assert.match(text, new RegExp(`^${name} \\d+\\.\\d+\\.\\d+ \\(.+\\)$`, "m"));
    }
    assert.match(text, /Apache License\s+Version 2\.0/);
    assert.match(text, /Permission is hereby granted, free of charge/);
  });

  it("gives plugin authors the SDK by name", () => {
    const names = inProject(
      `import * as sdk from "spire-aws-kms/plugin-sdk"; console.log(Object.keys(sdk).join(" "));`,
    );
    for (const name of ["servePlugin", "service", "startPlugin", "serveInBackground", "StatusError"]) {
      assert.match(names, new RegExp(`\\b${name}\\b`));
    }
  });

  it("gives authors of plugins that SPIRE does not load go-plugin by name, and readers of HCL 1 its parser", () => {
    const names = inProject(`
      import * as goPlugin from "spire-aws-kms/go-plugin";
      import * as hcl from "spire-aws-kms/hcl";
      console.log([...Object.keys(goPlugin), ...Object.keys(hcl)].join(" "));`);
    for (const name of ["serve", "startPlugin", "service", "parseHcl", "HclError"]) {
      assert.match(names, new RegExp(`\\b${name}\\b`));
    }
  });

  it("gives everybody the embedded KMS by name, running", () => {
    const answer = inProject(`
      import { startEmulator } from "spire-aws-kms/kms-emulator";
      const kms = await startEmulator();
      const { KeyMetadata } = await kms.control.call("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
      console.log(KeyMetadata.KeyState);
      await kms.close();`);
    assert.equal(answer, "Enabled\n");
  });

  it("has executables that tell nothing of the machine that built them", () => {
    for (const name of ["aws_kms", "kms", "spire-aws-kms"]) {
      const text = readFileSync(join(folder, "package", "dist", "bin", name), "utf8");
      assert.equal(text.includes(root), false, name);
      assert.match(text, /^#!\/bin\/sh\n/);
    }
  });

  it("has executables that run where they lie", () => {
    for (const name of ["aws_kms", "kms", "spire-aws-kms"]) {
      const output = execFileSync(join(folder, "package", "dist", "bin", name), ["--version"], { encoding: "utf8" });
      assert.match(output, /\d+\.\d+\.\d+\n$/, name);
    }
  });
});
