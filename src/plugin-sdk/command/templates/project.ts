/** The files of a new project that are alike for all kinds. */
import { nodeFloors } from "../executable-text.ts";
import type { Template } from "./template.ts";
import { importLine } from "./text.ts";

/** What a project is built and tested with; held to what this repository uses by a test. */
export const toolVersions = {
  "@types/node": "^20.19.43",
  esbuild: "^0.28.2",
  postject: "1.0.0-alpha.6",
  tsx: "^4.23.15",
  typescript: "^7.0.2",
  valibot: "^1.5.0",
} as const;

/** By path. @param sdk what package.json says of the SDK */
export function projectFiles(name: string, template: Template, sdk: string): Readonly<Record<string, string>> {
  return {
    "package.json": `${JSON.stringify(manifest(name, template, sdk), undefined, 2)}\n`,
    "tsconfig.json": `${JSON.stringify(compiler, undefined, 2)}\n`,
    ".gitignore": "node_modules/\ndist/\n",
    "README.md": readme(name, template),
    "src/main.ts": mainText(name, template),
    "src/plugin.ts": template.plugin,
    "test/plugin.test.ts": template.test,
    "test/executable.test.ts": executableTest(name, template),
    "test/plugin_data.hcl": template.pluginData,
  };
}

function manifest(name: string, { type, description }: Template, sdk: string): object {
  const { oldLine, oldMinor, newLine, newMinor } = nodeFloors;
  return {
    name,
    version: "0.1.0",
    description,
    private: true,
    type: "module",
    engines: { node: `^${oldLine}.${oldMinor}.0 || >=${newLine}.${newMinor}.0` },
    scripts: {
      build: `spire-plugin-sdk bundle src/main.ts --type ${type} --out dist/${name}`,
      standalone: `spire-plugin-sdk standalone src/main.ts --type ${type} --name ${name} --out dist/standalone/${name}`,
      check: `spire-plugin-sdk check dist/${name} --type ${type} --data test/plugin_data.hcl --name ${name}`,
      typecheck: "tsc --noEmit",
      test: "npm run --silent typecheck && npm run --silent build && node --import tsx --test test/*.test.ts",
    },
    devDependencies: {
      "@types/node": toolVersions["@types/node"],
      esbuild: toolVersions.esbuild,
      postject: toolVersions.postject,
      "spire-plugin-sdk": sdk,
      tsx: toolVersions.tsx,
      typescript: toolVersions.typescript,
      valibot: toolVersions.valibot,
    },
  };
}

const compiler = {
  compilerOptions: {
    target: "ES2022",
    module: "NodeNext",
    strict: true,
    noUncheckedIndexedAccess: true,
    allowImportingTsExtensions: true,
    verbatimModuleSyntax: true,
    noEmit: true,
    types: ["node"],
  },
  include: ["src", "test"],
};

const mainText = (
  name: string,
  { type, description }: Template,
): string => `/** The program that SPIRE starts. The plugin itself is loaded once SPIRE has its answer. */
${importLine("{ servePlugin }", "spire-plugin-sdk")}

await servePlugin({
  type: "${type}",
  name: "${name}",
  version: "0.1.0",
  description: ${JSON.stringify(description)},
  load: async () => (await ${"import"}("./plugin.ts")).createPlugin(),
});
`;

const executableTest = (
  name: string,
  { type }: Template,
): string => `/** The finished executable, looked at as SPIRE would. */
${importLine("assert", "node:assert/strict")}
${importLine("{ readFileSync }", "node:fs")}
${importLine("{ it }", "node:test")}
${importLine("{ checkPlugin, formatReport }", "spire-plugin-sdk/testing")}

it("is a plugin as SPIRE wants it", async () => {
  const pluginData = readFileSync("test/plugin_data.hcl", "utf8");
  const report = await checkPlugin("dist/${name}", { type: "${type}", pluginData });
  assert.ok(report.isFit, formatReport(report));
});
`;

const readme = (name: string, { type, description, program }: Template): string => `# ${name}

${description}

A ${type} plugin for ${program}, in TypeScript, on [spire-plugin-sdk](https://www.npmjs.com/package/spire-plugin-sdk).

\`\`\`sh
npm install
npm test          # types, build, tests of the plugin and of the finished executable
npm run build     # dist/${name}: one executable file; beside it its checksum and the block for ${program}'s configuration
npm run check     # what SPIRE would say of it
npm run standalone   # dist/standalone/${name}: the same with Node.js inside
\`\`\`

\`dist/${name}\` needs \`/bin/sh\`, and \`node\` on the \`PATH\` of ${program}. In an image that has neither, use the standalone
executable, which needs the C library that its Node.js was built for.

| file | what is in it |
| --- | --- |
| \`src/main.ts\` | the program: name and type, as SPIRE's configuration has them |
| \`src/plugin.ts\` | the plugin: settings, and what it does |
| \`test/plugin.test.ts\` | the plugin in the test's process, over a real socket |
| \`test/executable.test.ts\` | the finished file, from handshake to shutdown |
| \`test/plugin_data.hcl\` | a configuration for it |
`;
