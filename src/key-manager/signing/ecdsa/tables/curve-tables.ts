/**
 * The tables of one curve: G's, and those of the keys that sign most.
 *
 * A key gets a table once it has signed so often that the time spent on the slower way comes near to what the table costs.
 * It is built in slices of well below five milliseconds between other work, and put to use only after it has agreed with the
 * slower way on the signature that asked for it. A table that refuses what the slower way accepts is never used again.
 */
import type { Curve, Point } from "../curve.ts";
import { Field, pageBytes } from "./field.ts";
import { buildTable, type TablePlace, tableBytesOf, windowBitsOf } from "./point-table.ts";
import { checkWithTables } from "./table-check.ts";

/** Runs a job soon, between other work. */
export type Schedule = (job: () => void) => void;

export interface CurveTablesOptions {
  readonly schedule: Schedule;
  /** So many keys have a table at the same time. SPIRE has two or three kinds of keys, two of each. */
  readonly maxKeys: number;
  /** So many valid signatures of a key come before its table. */
  readonly signaturesBefore: number;
}

/** A public key, as its verifier knows it. */
export interface TableKey {
  readonly id: bigint;
  readonly point: Point;
  /** Valid signatures so far that no table checked. */
  signatures: number;
}

/** e, r and s of a signature. */
export type Numbers = readonly [bigint, bigint, bigint];

export function tableKey(point: Point): TableKey {
  // x alone would do but for Q and −Q.
  return { id: 2n * point.x + (point.y & 1n), point, signatures: 0 };
}

interface Table {
  readonly place: TablePlace;
  state: "building" | "ready" | "wrong";
  /** The count of all checks when this table was last used. */
  lastUse: number;
}

/** A table that so many checks have passed by may be given to another key. */
const restBeforeReuse = 100;

export class CurveTables {
  readonly #curve: Curve;
  readonly #options: CurveTablesOptions;
  readonly #generatorPlace = { address: pageBytes, windowBits: windowBitsOf.generator };
  readonly #startOfKeys: number;
  readonly #tables = new Map<bigint, Table>();
  readonly #wanted: { readonly point: Point; readonly table: Table; readonly numbers: Numbers }[] = [];
  #field: Field | undefined;
  #work: Generator<undefined, void, undefined> | undefined;
  #isOutOfOrder = false;
  #checks = 0;

  constructor(curve: Curve, options: CurveTablesOptions) {
    this.#curve = curve;
    this.#options = options;
    this.#startOfKeys = pageBytes + tableBytesOf(curve, windowBitsOf.generator);
  }

  /** Whether a key's signatures are checked with tables now. */
  isReady({ id }: TableKey): boolean {
    return this.#tables.get(id)?.state === "ready";
  }

  /** The verdict, undefined where the tables have none. */
  check({ id }: TableKey, numbers: Numbers): boolean | undefined {
    const table = this.#tables.get(id);
    if (this.#field === undefined || table?.state !== "ready") return undefined;
    table.lastUse = ++this.#checks;
    return checkWithTables(this.#field, this.#curve, { g: this.#generatorPlace, q: table.place }, numbers);
  }

  /** Is told of a valid signature that the tables did not accept, and of the verdict that they had. */
  report(key: TableKey, numbers: Numbers, verdict: boolean | undefined): void {
    key.signatures++;
    const present = this.#tables.get(key.id);
    if (present !== undefined && verdict === false) present.state = "wrong";
    if (present !== undefined || this.#isOutOfOrder || key.signatures < this.#options.signaturesBefore) return;
    const place = this.#freePlace();
    if (place === undefined) return;
    const table: Table = { place, state: "building", lastUse: this.#checks };
    this.#tables.set(key.id, table);
    this.#wanted.push({ point: key.point, table, numbers });
    if (this.#work !== undefined) return;
    this.#work = this.#build();
    this.#options.schedule(() => this.#slice());
  }

  /** Where a further key's table can be, if need be in the place of the one that was used longest ago. */
  #freePlace(): TablePlace | undefined {
    if (this.#tables.size < this.#options.maxKeys) return this.#placeOf(this.#tables.size);
    const candidates = [...this.#tables].filter(([, { state }]) => state === "ready");
    const [oldest] = candidates.sort(([, a], [, b]) => a.lastUse - b.lastUse);
    if (oldest === undefined || this.#checks - oldest[1].lastUse < restBeforeReuse) return undefined;
    this.#tables.delete(oldest[0]);
    return oldest[1].place;
  }

  #placeOf(index: number): TablePlace {
    const windowBits = windowBitsOf.key;
    return { address: this.#startOfKeys + index * tableBytesOf(this.#curve, windowBits), windowBits };
  }

  #slice(): void {
    try {
      if (this.#work?.next().done === false) {
        this.#options.schedule(() => this.#slice());
        return;
      }
    } catch {
      // No WebAssembly, or no memory for it: the slower way goes on serving.
      this.#isOutOfOrder = true;
      this.#tables.clear();
      this.#wanted.length = 0;
    }
    this.#work = undefined;
  }

  *#build(): Generator<undefined, void, undefined> {
    if (this.#field === undefined) {
      const bytes = this.#placeOf(this.#options.maxKeys).address;
      const field = yield* Field.prepare(this.#curve, Math.ceil(bytes / pageBytes));
      yield;
      yield* buildTable(field, this.#curve, this.#curve.generator, this.#generatorPlace);
      this.#field = field;
    }
    for (let next = this.#wanted.shift(); next !== undefined; next = this.#wanted.shift()) {
      const { point, table, numbers } = next;
      yield* buildTable(this.#field, this.#curve, point, table.place);
      const tables = { g: this.#generatorPlace, q: table.place };
      table.state = checkWithTables(this.#field, this.#curve, tables, numbers) === true ? "ready" : "wrong";
    }
  }
}
