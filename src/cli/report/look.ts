/** Takes the inventory of each Region, and brings the Regions together. */
import { explain, permissionOf } from "../../key-manager/errors.ts";
import type { InventoryOptions, InventorySummary, InventoryTrouble } from "../../key-manager/inventory/inventory.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { takeInventory } from "../../key-manager/inventory/take-inventory.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import { createClients } from "../aws-clients.ts";
import type { CallCounter } from "../call-counter.ts";
import type { CommandConfiguration } from "../configuration/configuration.ts";
import { Seen } from "../doctor/seen.ts";
import { inventoryOf, membersOf } from "../keys/inventory-of.ts";
import type { CommandContext } from "../output/run-command.ts";
import { printable, progressBar } from "../output/terminal.ts";

export interface Look {
  /** Those that answered. */
  readonly regions: readonly string[];
  readonly rows: readonly KeyRow[];
  readonly summary: InventorySummary;
  readonly troubles: readonly InventoryTrouble[];
  /** The configured Region; undefined where it was not looked at, or did not answer. */
  readonly home: Seen | undefined;
}

export interface LookOptions {
  readonly regions: readonly string[];
  readonly calls: CallCounter;
  readonly nameless?: InventoryOptions["nameless"];
  readonly rate?: number | undefined;
}

const counted = <K extends string>(one: Readonly<Record<K, number>>, other: Readonly<Record<K, number>>) =>
  Object.fromEntries(Object.entries<number>(one).map(([name, count]) => [name, count + other[name as K]])) as Record<
    K,
    number
  >;

function together(summaries: readonly InventorySummary[], isComplete: boolean): InventorySummary {
  const [first, ...others] = summaries;
  if (first === undefined) throw new Error("no Region was looked at");
  return others.reduce(
    (sum, one) => ({
      now: new Date(Math.max(one.now.getTime(), sum.now.getTime())),
      byClass: counted(sum.byClass, one.byClass),
      keys: sum.keys + one.keys,
      servers: sum.servers + one.servers,
      monthlyCostUsd: sum.monthlyCostUsd + one.monthlyCostUsd,
      prunable: sum.prunable + one.prunable,
      foreignKeys: sum.foreignKeys + one.foreignKeys,
      namelessNotLookedAt: sum.namelessNotLookedAt + one.namelessNotLookedAt,
      members: counted(sum.members, one.members),
      membersMonthlyCostUsd: sum.membersMonthlyCostUsd + one.membersMonthlyCostUsd,
      membersNotLookedAt: sum.membersNotLookedAt + one.membersNotLookedAt,
      keysInRegion: undefined,
      isComplete: sum.isComplete && one.isComplete,
    }),
    { ...first, isComplete: first.isComplete && isComplete },
  );
}

/** @throws KmsError when no Region answers */
export async function lookAtRegions(
  configuration: CommandConfiguration,
  { regions, calls, nameless, rate }: LookOptions,
  { terminal, signal }: CommandContext,
): Promise<Look> {
  const rows: KeyRow[] = [];
  const troubles: InventoryTrouble[] = [];
  const summaries = new Map<string, InventorySummary>();
  const home = new Seen();
  for (const region of regions) {
    const clients = createClients({ ...configuration.config, region }, { telemetry: calls.telemetry });
    const byKey = new Map<string, KeyRow>();
    const isHome = region === configuration.config.region;
    // Of members in other Regions only doctor speaks.
    const isAsked = isHome && configuration.config.multiRegion.replicaRegions.length > 0;
    const members = isAsked ? membersOf(configuration, clients) : undefined;
    const inventory = inventoryOf(configuration, clients, { region, nameless, callsPerSecond: rate, members, signal });
    const options = isHome ? { ...inventory, kms: home.watching(inventory.kms) } : inventory;
    try {
      for await (const event of takeInventory(options)) {
        if (isHome) home.add(event);
        if (event.kind === "row") byKey.set(event.row.keyId, event.row);
        else if (event.kind === "end") summaries.set(region, event.summary);
        else if (event.kind === "progress") {
          const { described, waiting } = event.progress;
          const total = described + waiting;
          terminal.status(`${region} ${progressBar(described, total)} ${described} of ${total} keys`);
        } else {
          const { error, consequence } = event.trouble;
          const what =
            error.code === "ACCESS_DENIED" ? `${permissionOf(error)} is missing` : `${error.operation} failed`;
          terminal.warn(printable(`${region}: ${what}: ${consequence}; ${explain(error)}`));
          troubles.push(event.trouble);
        }
      }
    } catch (error) {
      if (!isKmsError(error) || signal.aborted || regions.length === 1) throw error;
      const consequence = `keys in ${region} are not known`;
      terminal.warn(printable(`${region}: left out: ${explain(error)}`));
      troubles.push({ error, consequence });
      if (region === regions.at(-1) && summaries.size === 0) throw error;
    } finally {
      clients.close();
    }
    for (const row of byKey.values()) if (row.class !== "foreign") rows.push(row);
  }
  terminal.endStatus();
  const seen = [...summaries.keys()];
  const summary = together([...summaries.values()], seen.length === regions.length);
  return { regions: seen, rows, summary, troubles, home: home.summary && home };
}
