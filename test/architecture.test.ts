/** The borders of docs/architecture.md, on the import graph. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize, sep } from "node:path";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";

const source = fileURLToPath(new URL("../src", import.meta.url));

interface Border {
  /** Other folders of src/ that may be imported. */
  readonly folders: readonly string[];
  /** npm packages that may be imported. */
  readonly packages: readonly string[];
  /** npm packages whose types may be imported besides. */
  readonly types?: readonly string[];
}

const borders: Readonly<Record<string, Border>> = {
  gen: { folders: [], packages: ["@bufbuild/protobuf"] },
  hcl: { folders: [], packages: [] },
  x509: { folders: [], packages: ["@peculiar/asn1-schema", "@peculiar/asn1-x509"] },
  "go-plugin": {
    folders: ["gen"],
    packages: ["@grpc/grpc-js", "@bufbuild/protobuf", "@peculiar/asn1-schema", "@peculiar/asn1-x509"],
  },
  "plugin-sdk": { folders: ["gen", "go-plugin"], packages: ["@bufbuild/protobuf", "@grpc/grpc-js"] },

  "key-manager": { folders: [], packages: [] },
  aws: {
    folders: ["key-manager"],
    packages: [
      "@aws-sdk/client-kms",
      "@aws-sdk/client-resource-groups-tagging-api",
      "@aws-sdk/client-sts",
      "@aws-sdk/credential-provider-node",
      "@smithy/node-http-handler",
    ],
  },
  "kms-emulator": { folders: [], packages: ["@noble/curves"], types: ["@aws-sdk/client-kms"] },
  plugin: { folders: ["aws", "gen", "hcl", "key-manager", "plugin-sdk", "version.ts"], packages: ["valibot"] },
  cli: {
    folders: ["aws", "hcl", "key-manager", "kms-emulator", "plugin", "plugin-sdk", "version.ts", "x509"],
    packages: ["commander"],
  },
  "version.ts": { folders: [], packages: [] },
};

/** From `aws` only the words of the domain, never its doings. */
const domainFilesForAdapters = ["key-manager/config.ts", "key-manager/ports.ts", "key-manager/telemetry.ts"];

const list = (folder: string): string[] =>
  readdirSync(join(source, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) return list(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".test.ts") ? [path] : [];
  });

interface Import {
  readonly file: string;
  /** A path below src/ for our own files, a package's name, or `node:…`. */
  readonly target: string;
  readonly isOwn: boolean;
  readonly isTypeOnly: boolean;
  readonly isLazy: boolean;
}

function importsOf(file: string): Import[] {
  const text = readFileSync(join(source, file), "utf8");
  const found = text.matchAll(
    /^(?:import|export)\s+(type\s)?(?:[\s\S]*?\sfrom\s+)?"([^"]+)"|\bimport\(\s*"([^"]+)"\s*\)/gm,
  );
  return [...found].map(([, type, specifier, lazy]) => {
    const name = specifier ?? lazy ?? "";
    const isOwn = name.startsWith(".");
    const target = isOwn ? normalize(join(dirname(file), name)) : name;
    return { file, target, isOwn, isTypeOnly: type !== undefined, isLazy: lazy !== undefined };
  });
}

const files = list(".").map((file) => normalize(file));
const imports = files.flatMap(importsOf);
const folderOf = (path: string) => path.split(sep)[0] ?? "";
const packageOf = (name: string) =>
  name
    .split("/")
    .slice(0, name.startsWith("@") ? 2 : 1)
    .join("/");

describe("architecture", () => {
  it("knows every folder of src/", () => {
    assert.deepEqual([...new Set(files.map(folderOf))].sort(), Object.keys(borders).sort());
    assert.ok(imports.length > 100, "the reader of imports finds them");
  });

  for (const [folder, border] of Object.entries(borders)) {
    it(`${folder} imports only what it may`, () => {
      const trespasses = imports
        .filter(({ file }) => folderOf(file) === folder)
        .filter(({ target, isOwn, isTypeOnly }) => {
          if (isTypeOnly && border.types?.includes(packageOf(target))) return false;
          if (isOwn) return folderOf(target) !== folder && !border.folders.includes(folderOf(target));
          return !target.startsWith("node:") && !border.packages.includes(packageOf(target));
        })
        .map(({ file, target }) => `${file} imports ${target}`);
      assert.deepEqual(trespasses, []);
    });
  }

  it("adapters know the domain's ports and configuration only", () => {
    const trespasses = imports
      .filter(({ file, target, isOwn }) => folderOf(file) === "aws" && isOwn && folderOf(target) === "key-manager")
      .filter(({ target }) => !domainFilesForAdapters.includes(target.split(sep).join("/")));
    assert.deepEqual(trespasses, []);
  });

  it("has no cycles of imports that are there at run time", () => {
    const next = new Map(
      files.map((file) => [
        file,
        imports
          .filter((entry) => entry.file === file && entry.isOwn && !entry.isTypeOnly && !entry.isLazy)
          .map(({ target }) => target),
      ]),
    );
    const done = new Set<string>();
    const visit = (file: string, path: readonly string[]): void => {
      assert.ok(!path.includes(file), `cycle: ${[...path.slice(path.indexOf(file)), file].join(" -> ")}`);
      if (done.has(file)) return;
      for (const target of next.get(file) ?? []) visit(target, [...path, file]);
      done.add(file);
    };
    for (const file of files) visit(file, []);
  });

  for (const entry of ["aws-kms/main.ts", "kms/main.ts"])
    it(`keeps the AWS SDK out of ${entry}'s way to the handshake`, () => {
      const reached = new Set<string>();
      const visit = (file: string): void => {
        if (reached.has(file)) return;
        reached.add(file);
        for (const { target, isOwn, isTypeOnly, isLazy, ...from } of imports) {
          if (from.file !== file || isTypeOnly || isLazy) continue;
          assert.doesNotMatch(target, /^@aws-sdk|^@grpc/, `${file} loads ${target} before the handshake`);
          if (isOwn) visit(target);
        }
      };
      visit(join("plugin", entry));
      assert.ok(reached.size > 5);
    });
});
