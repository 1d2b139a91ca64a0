/** A plugin's configuration from HCL, checked by a schema of the author's choice. */
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import { HclError, type HclObject, parseHcl } from "../../hcl/index.ts";
import type { ConfigHandlers, CoreConfiguration } from "../plugin-definition.ts";
import { readSettings } from "./hcl-settings.ts";
import { issuePath, type StandardSchema } from "./standard-schema.ts";

/** A configuration that was taken. */
export interface Configured<Settings> extends CoreConfiguration {
  readonly settings: Settings;
}

export interface HclConfigOptions<Settings> {
  /**
   * Of any library that follows https://standardschema.dev, such as Valibot, Zod or ArkType. Make it strict, so that a
   * misspelt setting is told. Its messages go to SPIRE's log: let none quote what is secret.
   */
  readonly schema: StandardSchema<Settings>;
  /** Names of blocks that are a list however many there are; others are a list when they are repeated. */
  readonly lists?: readonly string[];
  /** What a schema cannot say, in sentences. It also serves `spire-server validate`: touch nothing outside. */
  readonly check?: (configured: Configured<Settings>) => readonly string[] | Promise<readonly string[]>;
  /** Takes the configuration: open, connect, read. When it throws, the former configuration stays. */
  readonly apply?: (configured: Configured<Settings>, context: CallContext) => void | Promise<void>;
}

/** The `config` of a plugin, and what it was configured with. */
export interface HclConfig<Settings> extends ConfigHandlers {
  /** @throws StatusError FAILED_PRECONDITION before the first Configure */
  readonly current: Configured<Settings>;
}

/**
 * Configuration by a schema: `plugin_data` as plain data, all problems at once with their lines, the former configuration
 * kept when a new one is refused.
 *
 * @example const config = hclConfig({ schema: v.strictObject({ region: v.string() }) });
 */
export function hclConfig<Settings>(options: HclConfigOptions<Settings>): HclConfig<Settings> {
  let current: Configured<Settings> | undefined;
  return {
    get current() {
      if (current === undefined) throw new StatusError("FAILED_PRECONDITION", "not configured");
      return current;
    },
    async validate(hcl, core) {
      const { problems } = await judge(options, hcl, core);
      return { valid: problems.length === 0, notes: problems };
    },
    async configure(hcl, core, context) {
      const { problems, configured } = await judge(options, hcl, core);
      if (configured === undefined) throw new StatusError("INVALID_ARGUMENT", `plugin_data: ${problems.join("; ")}`);
      await options.apply?.(configured, context);
      current = configured;
    },
  };
}

interface Judgement<Settings> {
  readonly problems: readonly string[];
  /** Absent when there are problems. */
  readonly configured?: Configured<Settings>;
}

async function judge<Settings>(
  { schema, lists, check }: HclConfigOptions<Settings>,
  hcl: string,
  { trustDomain }: CoreConfiguration,
): Promise<Judgement<Settings>> {
  const tree = parse(hcl);
  if (typeof tree === "string") return { problems: [tree] };
  const read = readSettings(tree, lists);
  if (read.problems.length > 0) return { problems: read.problems };
  const result = await schema["~standard"].validate(read.settings);
  if (result.issues !== undefined) {
    return { problems: result.issues.map((issue) => describe(issuePath(issue), issue.message, tree)) };
  }
  const configured = { trustDomain, settings: result.value };
  const problems = (await check?.(configured)) ?? [];
  return problems.length > 0 ? { problems } : { problems, configured };
}

/** @returns the problem with the text if there is one */
function parse(hcl: string): HclObject | string {
  try {
    return parseHcl(hcl);
  } catch (error) {
    if (error instanceof HclError) return error.message;
    throw error;
  }
}

function describe(path: string, message: string, tree: HclObject): string {
  const [name = ""] = path.split(/[.[]/, 1);
  const item = tree.items.find(({ keys }) => keys[0]?.name === name);
  const line = item?.keys[0]?.position.line;
  return `${path === "" ? "" : `${path}: `}${message}${line === undefined ? "" : ` (line ${line})`}`;
}
