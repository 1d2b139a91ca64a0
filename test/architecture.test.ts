/** The borders of docs/architecture.md, on the import graph. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { files, folderGraph, foldersOf, imports } from "./architecture/import-graph.ts";
import { directions, limits, notYet, type Rule, violationsOf } from "./architecture/rooms.ts";

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
    folders: ["gen", "x509"],
    packages: ["@grpc/grpc-js", "@bufbuild/protobuf"],
  },
  "plugin-sdk": { folders: ["gen", "go-plugin", "hcl"], packages: ["@bufbuild/protobuf", "@grpc/grpc-js"] },

  "key-manager": { folders: [], packages: [] },
  aws: {
    folders: ["key-manager"],
    packages: [
      "@aws-sdk/client-iam",
      "@aws-sdk/client-kms",
      "@aws-sdk/client-resource-groups-tagging-api",
      "@aws-sdk/client-sts",
      "@aws-sdk/credential-provider-login",
      "@aws-sdk/credential-provider-sso",
      "@smithy/core",
      "@smithy/node-http-handler",
    ],
  },
  "kms-emulator": { folders: ["x509"], packages: ["@noble/curves", "@noble/post-quantum"] },
  plugin: { folders: ["aws", "gen", "hcl", "key-manager", "plugin-sdk", "version.ts"], packages: ["valibot"] },
  cli: {
    folders: ["aws", "hcl", "key-manager", "kms-emulator", "plugin", "plugin-sdk", "version.ts", "x509"],
    packages: ["commander"],
  },
  "version.ts": { folders: [], packages: [] },
};

/** Rooms that become packages of their own (docs/decisions/0017-packages-from-one-tree.md). */
const libraries: readonly (readonly string[])[] = [
  ["gen", "hcl", "x509", "go-plugin", "plugin-sdk"],
  ["kms-emulator", "x509"],
];

/** From `aws` only the words of the domain, never its doings. */
const domainFilesForAdapters = ["key-manager/config.ts", "key-manager/ports.ts", "key-manager/telemetry.ts"];

const folderOf = (path: string) => path.split("/")[0] ?? "";
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

  for (const rooms of libraries) {
    it(`${rooms.join(", ")} can be published without the rest`, () => {
      const others = rooms.flatMap((room) => borders[room]?.folders ?? ["?"]).filter((room) => !rooms.includes(room));
      assert.deepEqual(others, []);
    });
  }

  it("adapters know the domain's ports and configuration only", () => {
    const trespasses = imports
      .filter(({ file, target, isOwn }) => folderOf(file) === "aws" && isOwn && folderOf(target) === "key-manager")
      .filter(({ target }) => !domainFilesForAdapters.includes(target));
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
      visit(`plugin/${entry}`);
      assert.ok(reached.size > 5);
    });
});

describe("the order inside the folders", () => {
  // Generated code lies as the generator puts it.
  const folders = foldersOf(files.filter((file) => folderOf(file) !== "gen"));
  const violations = (folder: string) =>
    violationsOf(folderGraph(folder, files, imports), limits[folder], directions[folder]);

  for (const folder of folders) {
    it(`${folder} is in order`, () => {
      const open: readonly Rule[] = notYet[folder] ?? [];
      assert.deepEqual(
        violations(folder).filter(({ rule }) => !open.includes(rule)),
        [],
      );
    });
  }

  it("the list of what is not in order yet names nothing that is", () => {
    const kept = Object.entries(notYet).flatMap(([folder, rules]) =>
      rules
        .filter((rule) => !violations(folder).some((violation) => violation.rule === rule))
        .map((rule) => `${folder}: ${rule}`),
    );
    assert.deepEqual(kept, [], "take these out of notYet");
  });

  it("every folder with a limit or a table exists", () => {
    const named = [limits, directions, notYet].flatMap((table) => Object.keys(table));
    assert.deepEqual(
      named.filter((folder) => !folders.includes(folder)),
      [],
    );
  });
});

describe("the reader of folders", () => {
  const own = (file: string, target: string, isTypeOnly = false) => ({
    file,
    target,
    isOwn: true,
    isTypeOnly,
    isLazy: false,
  });
  const paths = ["room/a.ts", "room/b.ts", "room/inner/c.ts", "room/inner/d.ts", "other/e.ts"];
  const graph = folderGraph("room", paths, [
    own("room/a.ts", "room/b.ts"),
    own("room/a.ts", "room/inner/c.ts"),
    own("room/inner/c.ts", "room/inner/d.ts"),
    own("room/inner/d.ts", "room/a.ts", true),
    own("other/e.ts", "room/a.ts"),
  ]);
  const rules = (...given: readonly [limit?: Parameters<typeof violationsOf>[1], allowed?: Record<string, string[]>]) =>
    violationsOf(graph, ...given).map(({ rule, text }) => `${rule}: ${text}`);

  it("counts entries and the arrows between them, and finds circles of which one side is only a type", () => {
    assert.deepEqual(graph.entries, ["a.ts", "b.ts", "inner"]);
    assert.deepEqual(rules({ entries: 3, arrows: 3 }), ["circles: circle: a.ts, inner"]);
    assert.deepEqual(rules({ entries: 2, arrows: 2 }), [
      "entries: 3 entries, at most 2",
      "arrows: 3 arrows, at most 2",
      "circles: circle: a.ts, inner",
    ]);
  });

  it("holds a table of directions against the folder", () => {
    const allowed = { "a.ts": ["b.ts", "inner"], inner: [], "old.ts": [] };
    assert.deepEqual(rules({}, allowed).slice(1), [
      "directions: b.ts is not in the table of directions",
      "directions: old.ts is in the table of directions and not in the folder",
      "directions: inner may not import from a.ts: room/inner/d.ts imports room/a.ts",
    ]);
  });

  it("lets fifteen files stand side by side and no more", () => {
    const many = (count: number) => Array.from({ length: count }, (_, index) => `room/f${index}.ts`);
    assert.deepEqual(violationsOf(folderGraph("room", many(15), [])), []);
    assert.deepEqual(violationsOf(folderGraph("room", many(16), [])), [
      { rule: "files", text: "16 files, at most 15" },
    ]);
  });
});
