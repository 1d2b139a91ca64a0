/** By when what is to be done has to be done: the settings of upkeep and their defaults, in our own reading. */

export interface UpkeepRules {
  readonly aliasRefreshIntervalMs: number;
  readonly staleAliasScanIntervalMs: number;
  readonly staleAliasThresholdMs: number;
  readonly staleKeyScanIntervalMs: number;
  readonly staleKeyThresholdMs: number;
  readonly scanStartDelayMs: number;
  readonly isTagMode: boolean;
}

type Settings = Readonly<Record<string, unknown>>;

const unitMs: Readonly<Record<string, number>> = { h: 3_600_000, m: 60_000, s: 1_000 };

function durationMs(settings: Settings, name: string, otherwise: string): number {
  const text = settings[name] ?? otherwise;
  const [, count, unit = ""] = /^(\d+)([hms])$/.exec(String(text)) ?? [];
  const ms = Number(count) * (unitMs[unit] ?? Number.NaN);
  if (Number.isNaN(ms)) throw new Error(`${name}: ${String(text)} is not a duration that the oracle can read`);
  return ms;
}

export const upkeepRulesOf = (settings: Settings): UpkeepRules => ({
  aliasRefreshIntervalMs: durationMs(settings, "alias_refresh_interval", "6h"),
  staleAliasScanIntervalMs: durationMs(settings, "stale_alias_scan_interval", "24h"),
  staleAliasThresholdMs: durationMs(settings, "stale_alias_threshold", "336h"),
  staleKeyScanIntervalMs: durationMs(settings, "stale_key_scan_interval", "48h"),
  staleKeyThresholdMs: durationMs(settings, "stale_key_threshold", "48h"),
  scanStartDelayMs: durationMs(settings, "scan_start_delay", "10m"),
  isTagMode: settings.enable_tag_based_key_discovery === true,
});
