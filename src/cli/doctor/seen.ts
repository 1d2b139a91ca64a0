/** An inventory as `doctor` needs it: rows, and every alias name that was seen on the way. */
import type {
  InventoryEvent,
  InventoryOptions,
  InventorySummary,
  InventoryTrouble,
} from "../../key-manager/inventory/inventory.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { takeInventory } from "../../key-manager/inventory/take-inventory.ts";

export class Seen {
  readonly aliasNames: string[] = [];
  readonly rows = new Map<string, KeyRow>();
  readonly troubles: InventoryTrouble[] = [];
  serverTime: Date | undefined;
  summary: InventorySummary | undefined;

  /** Takes an inventory. */
  static async taking(options: InventoryOptions, onProgress: (text: string) => void): Promise<Seen> {
    const seen = new Seen();
    for await (const event of takeInventory({ ...options, kms: seen.watching(options.kms) })) {
      seen.add(event);
      if (event.kind !== "progress") continue;
      const { described, waiting } = event.progress;
      onProgress(`looking at keys: ${described} of ${described + waiting}`);
    }
    return seen;
  }

  /** The same client, which tells the names of all aliases on the way. */
  watching(kms: InventoryOptions["kms"]): InventoryOptions["kms"] {
    const seen = this;
    return {
      describeKey: (keyId, callOptions) => kms.describeKey(keyId, callOptions),
      listKeys: (callOptions) => kms.listKeys(callOptions),
      async *listAliases(keyId, callOptions) {
        for await (const page of kms.listAliases(keyId, callOptions)) {
          seen.serverTime = page.serverTime;
          for (const { aliasName } of page.items) seen.aliasNames.push(aliasName);
          yield page;
        }
      },
    };
  }

  add(event: InventoryEvent): void {
    if (event.kind === "row") this.rows.set(event.row.keyId, event.row);
    else if (event.kind === "trouble") this.troubles.push(event.trouble);
    else if (event.kind === "end") this.summary = event.summary;
  }
}
