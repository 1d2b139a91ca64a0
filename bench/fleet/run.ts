/**
 * Fleets of servers for thirty days: `npm run bench:fleet -- [--servers 1,50,500,5000:3] [--json FILE] [--from FILES] [--write]`.
 *
 * Sizes of fleets, each with the days it lives where these are not 30. Virtual time, so that this machine's speed does not
 * matter; 500 servers take it some minutes, 5,000 hours. `--write` puts the table and the plot into docs/fleets.md
 * and docs/fleets.svg.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { limits } from "./built-in.ts";
import { fleetPlot } from "./plot.ts";
import { builtInFigures, type FleetRow, fleetTable } from "./table.ts";
import { type FleetFigures, liveFleet } from "./world.ts";

const { values } = parseArgs({
  options: {
    servers: { type: "string", default: "1,50,500,5000:3" },
    write: { type: "boolean", default: false },
    json: { type: "string" },
    from: { type: "string" },
  },
});

interface Plan {
  readonly servers: number;
  readonly days: number;
}

function planOf(text: string): Plan {
  const match = /^([1-9]\d*)(?::([1-9]\d*))?$/.exec(text);
  if (match === null)
    throw new Error(`--servers: ${JSON.stringify(text)} is no size; write 500, or 500:10 for ten days`);
  return { servers: Number(match[1]), days: Number(match[2] ?? 30) };
}

/** What `--json` writes and `--from` reads. */
interface Lived {
  readonly ours: FleetFigures;
}

const livedIn = (file: string): Lived[] => JSON.parse(readFileSync(file, "utf8")) as Lived[];

/** `--from`: rows that earlier runs have written with `--json`, in files with commas between them. */
const lived: Lived[] = (values.from ?? "").split(",").filter(Boolean).flatMap(livedIn);

/** After each step, so that a long run that is cut off has not been in vain. */
function keep(soFar: readonly Lived[]): void {
  if (values.json !== undefined) writeFileSync(values.json, JSON.stringify(soFar, undefined, 2));
}

for (const { servers, days } of values.servers.split(",").filter(Boolean).map(planOf)) {
  const ours = await liveFleet(servers, days, (sofar) => keep([...lived, { ours: sofar }]));
  lived.push({ ours });
  keep(lived);
  console.log(JSON.stringify(ours));
}
const rows: FleetRow[] = [];
for (const { ours } of lived) rows.push({ ours, builtIn: await builtInFigures(ours.servers) });
const table = fleetTable(rows, limits);
console.log(table);

if (values.write) {
  const docs = (name: string): string => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url));
  const page = readFileSync(docs("fleets.md"), "utf8");
  const marks = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/;
  if (!marks.test(page)) throw new Error("docs/fleets.md has no marks for the table");
  writeFileSync(docs("fleets.md"), page.replace(marks, `$1\n${table}\n\n$2`));
  writeFileSync(docs("fleets.svg"), fleetPlot(rows));
}
