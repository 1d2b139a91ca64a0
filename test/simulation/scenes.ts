/** What tests write their scenes with: an account with servers in it, what an operator does there, and a look at KMS. */
import { aliasNameOf } from "./oracle/spelling.ts";
import { SimulatedAccount } from "./simulated-account.ts";
import { type ServerOptions, type Settings, SimulatedServer } from "./simulated-server.ts";

export * from "./operator.ts";

export const secondMs = 1_000;
export const minuteMs = 60_000;
export const hourMs = 3_600_000;
export const dayMs = 24 * hourMs;

export const trustDomain = "example.org";
export const tagMode: Settings = { enable_tag_based_key_discovery: true };

/** The description of this trust domain's keys. */
export const ownDescription = `SPIRE_SERVER/${trustDomain}`;

/** A server that scans soon and often. */
export const soonScans: Settings = {
  stale_alias_threshold: "24h",
  stale_alias_scan_interval: "6h",
  stale_key_scan_interval: "6h",
  scan_start_delay: "0s",
};

/** The tags of a key of server `b`, which runs no more. */
export const tagsOfServerB = ({
  active = "true",
  lastUpdate = String(Date.UTC(2026, 0, 1) / 1000),
  td = trustDomain,
} = {}) => [
  { TagKey: "spire-server-td", TagValue: td },
  { TagKey: "spire-server-id", TagValue: "b" },
  { TagKey: "spire-key-id", TagValue: "x509-CA-A" },
  { TagKey: "spire-active", TagValue: active },
  { TagKey: "spire-last-update", TagValue: lastUpdate },
];

/** An account that keeps a journal. */
export const accountWithJournal = (options: ConstructorParameters<typeof SimulatedAccount>[0] = {}): SimulatedAccount =>
  new SimulatedAccount({ journalLimit: 1_000_000, ...options });

/** A configured server. */
export async function startServer(
  account: SimulatedAccount,
  serverId: string,
  settings: Settings = {},
  options: Partial<ServerOptions> = {},
): Promise<SimulatedServer> {
  const server = new SimulatedServer({ account, trustDomain, serverId, settings, ...options });
  await account.time.until(server.configure());
  return server;
}

/** The ARN of a key that the server makes, or makes anew. */
export async function generate(server: SimulatedServer, keyId = "x509-CA-A"): Promise<string> {
  await server.options.account.time.until(server.generate(keyId));
  return arnOf(server, keyId);
}

export function arnOf(server: SimulatedServer, keyId = "x509-CA-A"): string {
  const entry = server.entries.get(keyId);
  if (entry === undefined) throw new Error(`${server.identity} has no ${keyId}`);
  return entry.keyArn;
}

export const aliasOf = (serverId: string, keyId = "x509-CA-A"): string => aliasNameOf(trustDomain, serverId, keyId);

/** Log lines of a server at one level, or all, that match. */
export const lines = (server: SimulatedServer, message: RegExp, level?: string) =>
  server.log.filter((line) => message.test(line.message) && (level === undefined || line.level === level));
