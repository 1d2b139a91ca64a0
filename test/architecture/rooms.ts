/**
 * The order inside the folders of src/: how many entries each may have, and which entry may import which. A room joins by
 * a line in these tables.
 */
import { circlesOf, type FolderGraph } from "./import-graph.ts";

/** Source files side by side in one folder. Sub-folders count as entries only. */
export const maxFiles = 15;

export type Rule = "files" | "entries" | "arrows" | "circles" | "directions";

export interface Limit {
  /** Files and sub-folders. */
  readonly entries?: number;
  /** Pairs of entries of which one imports the other. */
  readonly arrows?: number;
}

/** By folder below src/. */
export const limits: Readonly<Record<string, Limit>> = {
  "kms-emulator": { entries: 28 },
  "key-manager": { entries: 25, arrows: 140 },
  "go-plugin": { entries: 12 },
};

/** For one folder: by entry, the other entries that it may import from, be it only a type. Every entry has a line. */
export type Directions = Readonly<Record<string, readonly string[]>>;

/** The emulator from its leaves to its doors; the README of the folder says what belongs in which room. */
const emulator: Directions = {
  "errors.ts": [],
  "exceptions.ts": [],
  "identifiers.ts": [],
  "random.ts": [],
  "token-bucket.ts": [],
  model: [],
  crypto: ["errors.ts", "random.ts"],
  state: ["crypto", "identifiers.ts"],
  "identity.ts": ["errors.ts", "identifiers.ts", "state"],
  policy: ["exceptions.ts", "identifiers.ts", "identity.ts", "state"],
  directory: ["errors.ts", "identifiers.ts", "identity.ts", "policy", "state"],
  framework: ["crypto", "directory", "exceptions.ts", "identity.ts", "model", "policy", "random.ts", "state"],
  sts: ["directory", "exceptions.ts", "framework", "identifiers.ts", "identity.ts", "policy", "state"],
  iam: ["directory", "exceptions.ts", "framework", "identifiers.ts"],
  tagging: ["exceptions.ts", "framework", "identifiers.ts", "state"],
  operations: [
    "crypto",
    "exceptions.ts",
    "framework",
    "iam",
    "identifiers.ts",
    "model",
    "policy",
    "state",
    "sts",
    "tagging",
  ],
  drills: ["errors.ts", "framework", "identity.ts", "random.ts", "token-bucket.ts"],
  tls: ["errors.ts"],
  seeds: ["crypto", "errors.ts", "identifiers.ts", "policy", "random.ts", "state"],
  options: ["directory", "drills", "errors.ts", "framework", "seeds", "tls"],
  engine: [
    "crypto",
    "directory",
    "drills",
    "errors.ts",
    "exceptions.ts",
    "framework",
    "identifiers.ts",
    "identity.ts",
    "operations",
    "options",
    "policy",
    "random.ts",
    "seeds",
    "state",
    "token-bucket.ts",
  ],
  persistence: ["crypto", "drills", "errors.ts", "state"],
  http: [
    "directory",
    "engine",
    "errors.ts",
    "exceptions.ts",
    "framework",
    "identifiers.ts",
    "identity.ts",
    "operations",
  ],
  control: [
    "drills",
    "engine",
    "errors.ts",
    "exceptions.ts",
    "http",
    "identifiers.ts",
    "identity.ts",
    "model",
    "operations",
    "persistence",
  ],
  "in-process.ts": ["control", "engine", "options"],
  "emulator.ts": ["control", "engine", "http", "options", "persistence", "seeds", "tls"],
  "index.ts": [
    "control",
    "directory",
    "drills",
    "emulator.ts",
    "errors.ts",
    "exceptions.ts",
    "framework",
    "identity.ts",
    "in-process.ts",
    "options",
    "seeds",
    "tls",
  ],
};

/** The files of one operation know the rules that operations share; the rooms of operations know few of each other. */
const emulatorOperations: Directions = {
  "change-key.ts": [],
  "grant-tokens.ts": [],
  "key-metadata.ts": [],
  "key-quota.ts": [],
  "key-reference.ts": [],
  "key-state.ts": [],
  "cryptographic-key.ts": ["grant-tokens.ts", "key-reference.ts", "key-state.ts"],
  agreement: ["cryptographic-key.ts"],
  aliases: ["key-reference.ts", "key-state.ts"],
  "custom-key-stores": [],
  encryption: ["cryptographic-key.ts"],
  "data-keys": ["cryptographic-key.ts", "custom-key-stores", "encryption"],
  grants: ["cryptographic-key.ts", "grant-tokens.ts", "key-reference.ts", "key-state.ts"],
  macs: ["cryptographic-key.ts"],
  policies: ["change-key.ts", "key-reference.ts", "key-state.ts"],
  rotation: ["key-reference.ts", "key-state.ts"],
  imports: ["key-reference.ts", "key-state.ts", "rotation"],
  signing: ["cryptographic-key.ts", "key-metadata.ts"],
  tags: ["change-key.ts", "key-reference.ts", "key-state.ts"],
  keys: [
    "aliases",
    "change-key.ts",
    "custom-key-stores",
    "grant-tokens.ts",
    "key-metadata.ts",
    "key-quota.ts",
    "key-reference.ts",
    "key-state.ts",
    "rotation",
    "tags",
  ],
  replicas: ["key-metadata.ts", "key-quota.ts", "key-reference.ts", "key-state.ts", "tags"],
  "index.ts": [
    "agreement",
    "aliases",
    "custom-key-stores",
    "data-keys",
    "encryption",
    "grants",
    "imports",
    "keys",
    "macs",
    "policies",
    "replicas",
    "rotation",
    "signing",
    "tags",
  ],
};

/** Plugin and host are two programs: neither looks into the other's room. */
const goPlugin: Directions = {
  "errors.ts": [],
  "stdio-channel.ts": [],
  "tls-identity.ts": [],
  "handshake.ts": ["errors.ts"],
  "auto-mtls.ts": ["errors.ts", "tls-identity.ts"],
  hclog: [],
  socket: ["errors.ts", "handshake.ts"],
  grpc: ["handshake.ts", "hclog", "socket", "tls-identity.ts"],
  plugin: [
    "auto-mtls.ts",
    "errors.ts",
    "grpc",
    "handshake.ts",
    "hclog",
    "socket",
    "stdio-channel.ts",
    "tls-identity.ts",
  ],
  host: ["auto-mtls.ts", "errors.ts", "grpc", "handshake.ts", "hclog", "socket", "stdio-channel.ts", "tls-identity.ts"],
  "index.ts": ["errors.ts", "grpc", "handshake.ts", "hclog", "host", "plugin", "stdio-channel.ts"],
};

/** Two grammars over one set of scanners; what is made of the tree knows neither. */
const hcl: Directions = {
  "errors.ts": [],
  "ast.ts": ["errors.ts"],
  scan: ["errors.ts"],
  "syntax.ts": ["errors.ts", "scan"],
  "literal.ts": ["ast.ts", "errors.ts", "scan"],
  "parser.ts": ["errors.ts", "scan", "syntax.ts"],
  json: ["errors.ts", "scan", "syntax.ts"],
  "parse-hcl.ts": ["ast.ts", "json", "literal.ts", "parser.ts", "syntax.ts"],
  "attributes.ts": ["ast.ts"],
  decode: ["ast.ts", "errors.ts", "parse-hcl.ts"],
  "printer.ts": ["errors.ts"],
  "index.ts": ["ast.ts", "attributes.ts", "decode", "errors.ts", "parse-hcl.ts", "printer.ts"],
};

/** The engine, from its words to the one class that a plugin talks to. A rotation knows removals; removals know no rotation. */
const keyManager: Directions = {
  "ports.ts": [],
  "names.ts": ["ports.ts"],
  "config.ts": ["ports.ts"],
  "errors.ts": ["ports.ts"],
  "telemetry.ts": ["ports.ts"],
  "key-type.ts": ["errors.ts", "ports.ts"],
  signing: ["errors.ts", "key-type.ts", "ports.ts"],
  tags: ["errors.ts", "pace", "ports.ts"],
  pace: ["errors.ts", "ports.ts", "telemetry.ts"],
  fleet: ["config.ts", "errors.ts", "keys", "names.ts", "ports.ts"],
  keys: ["errors.ts", "key-type.ts", "pace", "ports.ts", "signing"],
  "deletions.ts": ["keys", "ports.ts"],
  regions: ["config.ts", "errors.ts", "keys", "names.ts", "pace", "ports.ts", "tags", "telemetry.ts"],
  "setup.ts": [
    "config.ts",
    "deletions.ts",
    "errors.ts",
    "fleet",
    "keys",
    "names.ts",
    "pace",
    "ports.ts",
    "regions",
    "tags",
    "telemetry.ts",
  ],
  discovery: ["config.ts", "errors.ts", "key-type.ts", "keys", "names.ts", "pace", "ports.ts", "setup.ts", "tags"],
  migration: ["discovery", "errors.ts", "keys", "names.ts", "pace", "ports.ts"],
  removal: [
    "deletions.ts",
    "discovery",
    "errors.ts",
    "key-type.ts",
    "keys",
    "names.ts",
    "pace",
    "ports.ts",
    "setup.ts",
    "tags",
    "telemetry.ts",
  ],
  rotation: [
    "deletions.ts",
    "discovery",
    "errors.ts",
    "key-type.ts",
    "keys",
    "names.ts",
    "pace",
    "ports.ts",
    "removal",
    "setup.ts",
  ],
  inventory: ["discovery", "key-type.ts", "keys", "names.ts", "pace", "ports.ts", "regions", "removal", "tags"],
  rescue: ["discovery", "errors.ts", "keys", "names.ts", "ports.ts", "tags"],
  upkeep: [
    "config.ts",
    "deletions.ts",
    "errors.ts",
    "fleet",
    "keys",
    "names.ts",
    "pace",
    "ports.ts",
    "regions",
    "removal",
    "rotation",
    "setup.ts",
    "tags",
    "telemetry.ts",
  ],
  "sign-data.ts": ["errors.ts", "keys", "pace", "ports.ts", "rotation", "setup.ts", "signing"],
  "key-manager.ts": [
    "config.ts",
    "discovery",
    "errors.ts",
    "fleet",
    "key-type.ts",
    "keys",
    "pace",
    "ports.ts",
    "regions",
    "removal",
    "rotation",
    "setup.ts",
    "sign-data.ts",
    "signing",
    "tags",
    "telemetry.ts",
    "upkeep",
  ],
};

/** By folder below src/; a folder without a table has no rule but "no circle". */
export const directions: Readonly<Record<string, Directions>> = {
  "go-plugin": goPlugin,
  hcl,
  "key-manager": keyManager,
  "kms-emulator": emulator,
  "kms-emulator/operations": emulatorOperations,
};

/** Rules that a folder does not keep yet. This list only ever gets shorter: what is kept again must be taken out. */
export const notYet: Readonly<Record<string, readonly Rule[]>> = {};

export interface Violation {
  readonly rule: Rule;
  readonly text: string;
}

const isFile = (entry: string): boolean => entry.endsWith(".ts");

function* wrongDirections({ entries, arrows }: FolderGraph, allowed: Directions): Generator<Violation> {
  const rule = "directions";
  for (const entry of entries) if (!allowed[entry]) yield { rule, text: `${entry} is not in the table of directions` };
  for (const entry of Object.keys(allowed)) {
    if (!entries.includes(entry)) yield { rule, text: `${entry} is in the table of directions and not in the folder` };
  }
  for (const { from, to, because } of arrows) {
    if (allowed[from] && !allowed[from].includes(to)) {
      yield { rule, text: `${from} may not import from ${to}: ${because}` };
    }
  }
}

/** Everything about a folder that the rules do not allow. */
export function violationsOf(graph: FolderGraph, limit: Limit = {}, allowed?: Directions): Violation[] {
  const { entries, arrows } = graph;
  const found: Violation[] = [];
  const count = (rule: Rule, is: number, may: number | undefined) => {
    if (may !== undefined && is > may) found.push({ rule, text: `${is} ${rule}, at most ${may}` });
  };
  count("files", entries.filter(isFile).length, maxFiles);
  count("entries", entries.length, limit.entries);
  count("arrows", arrows.length, limit.arrows);
  for (const circle of circlesOf(graph)) found.push({ rule: "circles", text: `circle: ${circle.join(", ")}` });
  if (allowed) found.push(...wrongDirections(graph, allowed));
  return found;
}
