/** plugin_data as a person would write it in JSON: what a schema of the author's is held against. */
import type { HclItem, HclNumber, HclObject, HclValue } from "../../hcl/index.ts";

/** Plain data: objects have no prototype, so that any key is safe; an integer past 2^53 is a bigint. */
export type SettingValue = string | number | bigint | boolean | SettingValue[] | Settings;

export interface Settings {
  [key: string]: SettingValue;
}

export interface ReadSettings {
  readonly settings: Settings;
  /** In the operator's words, with lines. */
  readonly problems: readonly string[];
}

/**
 * A block is an object, blocks with labels are objects in an object by label, and blocks that are repeated are a list.
 *
 * @param lists names of blocks that are a list however many there are
 */
export function readSettings(tree: HclObject, lists: readonly string[] = []): ReadSettings {
  const problems: string[] = [];
  const settings = new Reader(new Set(lists), problems).object(tree);
  return { settings, problems };
}

class Reader {
  readonly #lists: ReadonlySet<string>;
  readonly #problems: string[];

  constructor(lists: ReadonlySet<string>, problems: string[]) {
    this.#lists = lists;
    this.#problems = problems;
  }

  object({ items }: Pick<HclObject, "items">): Settings {
    const settings: Settings = Object.create(null);
    for (const [name, same] of groupItems(items)) settings[name] = this.#values(name, same);
    return settings;
  }

  #values(name: string, items: readonly HclItem[]): SettingValue {
    const [first] = items;
    if (items.every(({ keys }) => keys.length > 1)) return this.object({ items: items.map(withoutFirstKey) });
    if (this.#lists.has(name)) return items.flatMap((item) => this.#list(item));
    if (items.length === 1 && first !== undefined) return this.#value(first.value);
    if (!items.every(({ value }) => value.kind === "object")) {
      const lines = items.map(({ keys }) => keys[0]?.position.line).join(" and ");
      this.#problems.push(`${name} is set more than once (lines ${lines})`);
    }
    return items.flatMap((item) => this.#list(item));
  }

  /** A list in the text and a block of the same name are elements of one list. */
  #list(item: HclItem): SettingValue[] {
    if (item.keys.length > 1) return [this.object({ items: [withoutFirstKey(item)] })];
    return item.value.kind === "list" ? item.value.items.map((value) => this.#value(value)) : [this.#value(item.value)];
  }

  #value(value: HclValue): SettingValue {
    switch (value.kind) {
      case "object":
        return this.object(value);
      case "list":
        return value.items.map((item) => this.#value(item));
      case "number":
        return this.#number(value);
      default:
        return value.value;
    }
  }

  #number({ value, text, isInteger, position }: HclNumber): number | bigint {
    if (Number.isNaN(value)) this.#problems.push(`${text} is no number (line ${position.line})`);
    if (!isInteger || Number.isSafeInteger(value) || !/^-?[0-9]+$/.test(text)) return value;
    return BigInt(text);
  }
}

const nameOf = ({ keys }: HclItem): string => keys[0]?.name ?? "";

const withoutFirstKey = (item: HclItem): HclItem => ({ ...item, keys: item.keys.slice(1) });

function groupItems(items: readonly HclItem[]): Map<string, HclItem[]> {
  const groups = new Map<string, HclItem[]>();
  for (const item of items) groups.set(nameOf(item), [...(groups.get(nameOf(item)) ?? []), item]);
  return groups;
}
