/** One run of `spire-aws-kms keys`: configuration in, rows and totals out, Region by Region. */
import { explain, permissionOf } from "../../key-manager/errors.ts";
import type {
  InventoryEvent,
  InventoryOptions,
  InventorySummary,
  InventoryTrouble,
} from "../../key-manager/inventory/inventory.ts";
import { defaultCallsPerSecond, maxDescribes } from "../../key-manager/inventory/inventory.ts";
import { isTroubled } from "../../key-manager/inventory/key-member.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { maxMemberLooks } from "../../key-manager/inventory/member-looks.ts";
import type { Sight } from "../../key-manager/inventory/members.ts";
import { takeInventory } from "../../key-manager/inventory/take-inventory.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import { createClients } from "../aws-clients.ts";
import { CallCounter } from "../call-counter.ts";
import { type CommandConfiguration, readConfiguration } from "../configuration/configuration.ts";
import type { ConfigurationFlags } from "../configuration/flags.ts";
import { type ExitCode, exitCodes } from "../output/exit-codes.ts";
import { jsonLine, jsonText } from "../output/json-document.ts";
import { type CommandContext, type CommandOutputFlags, UsageError } from "../output/run-command.ts";
import { printable, progressBar } from "../output/terminal.ts";
import { systemClock } from "../system-clock.ts";
import { columnNames, comparator, filterOf } from "./columns.ts";
import { inventoryOf, membersOf } from "./inventory-of.ts";
import { KeyTable, totalsText } from "./key-table.ts";
import { keepHeapSmall } from "./little-memory.ts";
import { regionsFor } from "./regions.ts";
import { type ReplicaCost, replicaCostOf, replicaCostText } from "./replica-cost.ts";
import { replicaCostJson, rowJson, summaryJson, troubleJson } from "./row-json.ts";

export interface KeysFlags extends ConfigurationFlags, CommandOutputFlags {
  readonly allRegions?: boolean;
  readonly regions?: string;
  readonly sort?: string;
  readonly filter?: readonly string[];
  readonly problems?: boolean;
  readonly wide?: boolean;
  readonly foreign?: boolean;
  readonly nameless?: InventoryOptions["nameless"];
  readonly replicas?: "auto" | "all" | "none";
  readonly rate?: number;
  readonly watch?: number | boolean;
}

interface View {
  readonly sort: readonly string[] | undefined;
  readonly isShown: (row: KeyRow) => boolean;
}

/** What one Region showed. */
interface RegionResult {
  readonly region: string;
  readonly rows: readonly KeyRow[];
  readonly summary: InventorySummary | undefined;
  readonly troubles: readonly InventoryTrouble[];
  /** Why there is no more of it. */
  readonly failure: string | undefined;
}

const defaultWatchSeconds = 60;

const replicaCostMember = (cost: ReplicaCost | undefined): object =>
  cost === undefined ? {} : { replica_cost: replicaCostJson(cost) };

function viewOf({ sort, filter = [], problems }: KeysFlags): View {
  const names = sort?.split(",");
  const unknown = names?.find((name) => !columnNames.includes(name.replace(/^-/, "")));
  if (unknown !== undefined) {
    throw new UsageError(
      `--sort: ${JSON.stringify(unknown)} is no column; take of ${columnNames.join(", ")}, with a - before it to turn it round`,
    );
  }
  const test = filterOf(filter, () => new Date());
  if (typeof test === "string") throw new UsageError(test);
  const isQuiet = ({ class: cls, members }: KeyRow) =>
    (cls === "in use" || cls === "pending deletion" || cls === "foreign") && !members.some(isTroubled);
  return { sort: names, isShown: (row) => test(row) && !(problems && isQuiet(row)) };
}

class KeysRun {
  readonly #flags: KeysFlags;
  readonly #context: CommandContext;
  readonly #configuration: CommandConfiguration;
  readonly #regions: readonly string[];
  readonly #view: View;
  readonly #calls = new CallCounter();
  readonly #membersSeen = new Map<string, Sight>();

  constructor(flags: KeysFlags, configuration: CommandConfiguration, context: CommandContext) {
    this.#flags = flags;
    this.#context = context;
    this.#configuration = configuration;
    this.#regions = regionsFor(flags, configuration.config.region);
    this.#view = viewOf(flags);
  }

  async once(isCompact: boolean): Promise<ExitCode> {
    const { terminal } = this.#context;
    const results: RegionResult[] = [];
    const { wide: isWide = false, json, verbose } = this.#flags;
    const table = json ? undefined : new KeyTable({ terminal, hasRegions: this.#regions.length > 1, isWide });
    for (const region of this.#regions) {
      if (this.#context.signal.aborted) break;
      results.push(await this.#look(region, table));
    }
    terminal.endStatus();
    if (json) this.#printJson(results, isCompact);
    else this.#printTotals(results);
    if (verbose) terminal.note(`${this.#calls.text}; never more than ${this.#rate} a second`);
    const [only] = results;
    if (results.length === 1 && only?.failure !== undefined) return exitCodes.failed;
    return results.every(({ summary, troubles }) => summary !== undefined && troubles.length === 0)
      ? exitCodes.done
      : exitCodes.incomplete;
  }

  get #rate(): number {
    return this.#flags.rate ?? defaultCallsPerSecond;
  }

  async #look(region: string, table: KeyTable | undefined): Promise<RegionResult> {
    const { config } = this.#configuration;
    const { foreign, nameless, rate, replicas } = this.#flags;
    const { signal, terminal } = this.#context;
    const clients = createClients({ ...config, region }, { telemetry: this.#calls.telemetry });
    const rows = new Map<string, KeyRow>();
    const troubles: InventoryTrouble[] = [];
    let summary: InventorySummary | undefined;
    const options = inventoryOf(this.#configuration, clients, {
      region,
      foreign,
      nameless,
      callsPerSecond: rate,
      members: membersOf(this.#configuration, clients, { replicas, known: this.#membersSeen }),
      signal,
    });
    try {
      for await (const event of takeInventory(options)) {
        if (event.kind === "row") {
          rows.set(event.row.keyId, event.row);
          if (this.#view.sort === undefined && this.#view.isShown(event.row)) table?.row(event.row, systemClock.now());
        } else if (event.kind === "trouble") {
          troubles.push(event.trouble);
          this.#tellTrouble(event.trouble, region);
        } else if (event.kind === "end") summary = event.summary;
        else this.#tellProgress(event, region);
      }
    } catch (error) {
      if (!isKmsError(error) || signal.aborted) throw error;
      if (this.#regions.length === 1) throw error;
      terminal.warn(printable(`${region}: left out: ${explain(error)}`));
      return { region, rows: [], summary: undefined, troubles, failure: explain(error) };
    } finally {
      clients.close();
    }
    const shown = [...rows.values()].filter(this.#view.isShown);
    const now = summary?.now ?? systemClock.now();
    if (this.#view.sort !== undefined) {
      shown.sort(comparator(this.#view.sort, now));
      for (const row of shown) table?.row(row, now);
    }
    return { region, rows: shown, summary, troubles, failure: undefined };
  }

  #tellTrouble({ error, consequence }: InventoryTrouble, region: string): void {
    const what = error.code === "ACCESS_DENIED" ? `${permissionOf(error)} is missing` : `${error.operation} failed`;
    const where = this.#regions.length > 1 ? `${region}: ` : "";
    this.#context.terminal.warn(printable(`${where}${what}: ${consequence}; ${explain(error)}`));
  }

  #tellProgress({ progress }: InventoryEvent & { readonly kind: "progress" }, region: string): void {
    const { aliases, isListed, described, waiting } = progress;
    const total = described + waiting;
    const listing = isListed ? "" : `, ${aliases.toLocaleString("en-US")} aliases listed so far`;
    this.#context.terminal.status(`${region} ${progressBar(described, total)} ${described} of ${total} keys${listing}`);
  }

  #printTotals(results: readonly RegionResult[]): void {
    const { terminal } = this.#context;
    const isFiltered = this.#flags.filter !== undefined || this.#flags.problems;
    for (const { region, summary, rows } of results) {
      if (summary === undefined) continue;
      if (results.length > 1 && summary.keys === 0 && summary.isComplete) continue;
      const shown = isFiltered ? `${rows.length} shown of ` : "";
      terminal.print(`${shown}${totalsText(summary, region)}`);
      const cost = isFiltered ? undefined : this.#replicaCost(region, rows);
      if (cost !== undefined) terminal.print(replicaCostText(cost));
      if (summary.membersNotLookedAt > 0) {
        terminal.hint(
          `${summary.membersNotLookedAt.toLocaleString("en-US")} members of multi-Region keys in other Regions were not looked at, since each takes a call and more than ${maxMemberLooks.toLocaleString("en-US")} are not made unasked: --replicas all looks at them`,
        );
      }
      if (summary.namelessNotLookedAt > 0) {
        const seconds = Math.ceil(summary.namelessNotLookedAt / this.#rate);
        terminal.hint(
          `${summary.namelessNotLookedAt.toLocaleString("en-US")} keys have no alias, and only DescribeKey tells whose they are; more than ${maxDescribes.toLocaleString("en-US")} calls are not made unasked: --nameless all takes about ${seconds} s`,
        );
      }
    }
    if (results.length > 1) {
      const empty = results.filter(({ summary }) => summary?.keys === 0 && summary.isComplete).length;
      if (empty > 0) terminal.print(`no key of ${this.#subject} in ${empty} other Regions`);
    }
  }

  #replicaCost(region: string, rows: readonly KeyRow[]): ReplicaCost | undefined {
    const { config } = this.#configuration;
    const isTold = region === config.region && this.#flags.replicas !== "none";
    return isTold ? replicaCostOf(rows, config.multiRegion.replicaRegions) : undefined;
  }

  get #subject(): string {
    const configuration = this.#configuration;
    return configuration.plugin === "kms" ? `prefix ${configuration.config.keyPrefix}` : configuration.trustDomain;
  }

  #printJson(results: readonly RegionResult[], isCompact: boolean): void {
    const { plugin, trustDomain, serverId } = this.#configuration;
    const isFiltered = this.#flags.filter !== undefined || this.#flags.problems;
    const document = {
      format: "spire-aws-kms/keys",
      version: 1,
      plugin,
      trust_domain: trustDomain,
      server_id: serverId,
      regions: results.map(({ region, rows, summary, troubles, failure }) => ({
        region,
        ...(summary && summaryJson(summary)),
        ...(isFiltered ? {} : replicaCostMember(this.#replicaCost(region, rows))),
        ...(failure === undefined ? {} : { complete: false, failure }),
        troubles: troubles.map(troubleJson),
      })),
      keys: results.flatMap(({ rows, summary }) => rows.map((row) => rowJson(row, summary?.now ?? systemClock.now()))),
      aws_calls: { total: this.#calls.total, by_operation: this.#calls.byOperation, most_per_second: this.#rate },
    } as const;
    this.#context.terminal.print(isCompact ? jsonLine(document) : jsonText(document));
  }
}

export async function runKeys(flags: KeysFlags, context: CommandContext): Promise<ExitCode> {
  keepHeapSmall();
  const configuration = await readConfiguration(flags, context.env);
  for (const warning of configuration.warnings) context.terminal.warn(printable(warning));
  if (flags.watch === undefined || flags.watch === false) {
    return new KeysRun(flags, configuration, context).once(false);
  }
  const seconds = typeof flags.watch === "number" ? flags.watch : defaultWatchSeconds;
  for (;;) {
    context.terminal.clearScreen();
    if (!flags.json) context.terminal.print(`${new Date().toISOString()}, again in ${seconds} s; Ctrl-C ends it`);
    await new KeysRun(flags, configuration, context).once(true);
    await systemClock.sleep(seconds * 1000, context.signal);
  }
}
