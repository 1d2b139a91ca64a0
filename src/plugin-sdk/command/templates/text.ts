/**
 * How the texts of a project's files are put together. Imports are put together too, so that no reader of imports
 * takes them for those of this package.
 */

/** @param names what stands between `import` and `from` */
export const importLine = (names: string, module: string): string =>
  `${["import", names, "from", JSON.stringify(module)].join(" ")};`;

interface PluginParts {
  /** Names from spire-plugin-sdk, types with `type` before them. */
  readonly imports: readonly string[];
  /** Lines of the schema's object. */
  readonly settings: readonly string[];
  /** Lines of one registration. */
  readonly service: string;
  /** Lines before the function that makes the plugin. */
  readonly before?: string;
}

/** `src/plugin.ts` */
export function pluginText({ imports, settings, service, before = "" }: PluginParts): string {
  const names = [...imports, "hclConfig", "type PluginImplementation"];
  return `/** What the plugin does, and its settings. */
${importLine(`{ ${names.join(", ")} }`, "spire-plugin-sdk")}
${importLine("* as v", "valibot")}
${before}
/** A new plugin: SPIRE has one a process, tests have one each. */
export function createPlugin(): PluginImplementation {
  const config = hclConfig({
    schema: v.strictObject({
${indent(settings.join("\n"), 6)}
    }),
  });
  return {
    config,
    services: [
${indent(service, 6)}
    ],
  };
}
`;
}

interface TestParts {
  /** Names from spire-plugin-sdk. */
  readonly imports: readonly string[];
  /** The text of plugin_data. */
  readonly pluginData: string;
  readonly does: string;
  /** Lines that use `plugin`. */
  readonly calls: string;
}

/** `test/plugin.test.ts` */
export function testText({ imports, pluginData, does, calls }: TestParts): string {
  return `/** The plugin in this process, over a real socket. */
${importLine("assert", "node:assert/strict")}
${importLine("{ after, it }", "node:test")}
${importLine(`{ ${imports.join(", ")} }`, "spire-plugin-sdk")}
${importLine("{ createTestHost }", "spire-plugin-sdk/testing")}
${importLine("{ createPlugin }", "../src/plugin.ts")}

const host = createTestHost();
after(() => host.stop());

it(${JSON.stringify(does)}, async () => {
  const plugin = await host.load(createPlugin());
  await plugin.configure(${JSON.stringify(pluginData)});
${indent(calls, 2)}
});

it("tells what is wrong with its settings", async () => {
  const plugin = await host.load(createPlugin());
  const { valid, notes } = await plugin.validate("no_such_setting = 1");
  assert.equal(valid, false);
  assert.ok(notes.some((note) => note.includes("no_such_setting")), notes.join());
});
`;
}

const indent = (text: string, by: number): string =>
  text
    .trim()
    .split("\n")
    .map((line) => (line === "" ? line : " ".repeat(by) + line))
    .join("\n");
