/** What the fleets ask, wait for and cost, against their size: ours and the built-in's, each figure in a panel of its own, on logarithmic scales. */
import { costOf, type FleetRow, isCutOff } from "./table.ts";

const columns = 2;
const panel = { width: 330, height: 210, left: 62, right: 12, top: 34, bottom: 44 };

interface Figure {
  readonly title: string;
  /** Undefined: it was not lived through. */
  readonly ours: (row: FleetRow) => number | undefined;
  /** Undefined: nothing is computed. */
  readonly builtIn?: (row: FleetRow) => number;
  /** What is less is drawn there. */
  readonly least: number;
}

/** Of a run that was cut off some figures are missing. */
const ifLived = (value: number): number | undefined => (value === 0 ? undefined : value);

const calls = (operation: string): Figure => ({
  title: `${operation}, calls a day and server`,
  ours: ({ ours }) => (isCutOff(ours) ? undefined : (ours.callsADay[operation] ?? 0)),
  builtIn: ({ builtIn }) => builtIn.callsADay[operation] ?? 0,
  least: 1,
});

const figures: readonly Figure[] = [
  calls("DescribeKey"),
  calls("ListAliases"),
  calls("CreateKey"),
  calls("UpdateAlias"),
  { title: "share of all calls that KMS refused, %", ours: ({ ours }) => 100 * ours.throttledShare, least: 0.1 },
  {
    title: "all start at one moment: the last after, s",
    ours: ({ ours }) => ours.startS,
    builtIn: ({ builtIn }) => builtIn.storms.startS,
    least: 1,
  },
  {
    title: "all rotate at one moment: the last after, s",
    ours: ({ ours }) => (isCutOff(ours) ? ifLived(ours.rotateMedianS) : ours.rotateMedianS),
    builtIn: ({ builtIn }) => builtIn.storms.rotateS,
    least: 1,
  },
  {
    title: "keys in use and pending deletion",
    ours: ({ ours }) => ifLived(ours.keysEnabled + ours.keysPending),
    least: 1,
  },
  {
    title: "cost a month, USD",
    ours: ({ ours }) => (isCutOff(ours) ? undefined : costOf(ours)),
    builtIn: ({ builtIn }) => builtIn.costUsd,
    least: 1,
  },
];

const logScale = (from: number, to: number, length: number) => (value: number) =>
  (length * (Math.log10(value) - Math.log10(from))) / (Math.log10(to) - Math.log10(from));

const style =
  "text{fill:#333}.axis{stroke:#888;fill:none}.ours{stroke:#0b6e4f;fill:#0b6e4f}.built-in{stroke:#b3261e;fill:#b3261e}polyline.ours,polyline.built-in{fill:none;stroke-width:2}@media (prefers-color-scheme:dark){text{fill:#ddd}}";

export function fleetPlot(rows: readonly FleetRow[]): string {
  const width = columns * panel.width;
  const height = Math.ceil(figures.length / columns) * panel.height;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11" role="img" aria-label="What a fleet asks of KMS, waits for and costs, by its size">`,
    `<style>${style}</style>`,
    ...figures.map((figure, index) => {
      const at = `translate(${(index % columns) * panel.width} ${Math.floor(index / columns) * panel.height})`;
      return `<g transform="${at}">${drawn(figure, rows)}</g>`;
    }),
    "</svg>",
    "",
  ].join("\n");
}

function drawn({ title, ours, builtIn, least }: Figure, rows: readonly FleetRow[]): string {
  const [inner, bottom] = [panel.width - panel.left - panel.right, panel.height - panel.bottom];
  const sizes = rows.map((row) => row.ours.servers);
  const values = rows.flatMap((row) => [ours(row) ?? 0, builtIn?.(row) ?? 0]);
  const from = 10 ** Math.floor(Math.log10(least));
  const to = Math.max(from * 10, 10 ** Math.ceil(Math.log10(Math.max(...values, least))));
  const x = logScale(Math.min(...sizes), Math.max(...sizes, Math.min(...sizes) * 10), inner);
  const y = logScale(from, to, bottom - panel.top);
  const curve = (name: string, of: Figure["ours"]): string => {
    const points = rows.flatMap((row) => {
      const value = of(row);
      if (value === undefined) return [];
      return [[(panel.left + x(row.ours.servers)).toFixed(1), (bottom - y(Math.max(value, from))).toFixed(1)]];
    });
    const dots = points.map(([cx, cy]) => `<circle class="${name}" cx="${cx}" cy="${cy}" r="3"/>`);
    return `<polyline class="${name}" points="${points.map((point) => point.join(",")).join(" ")}"/>${dots.join("")}`;
  };
  const label = (at: number, text: string, more: string): string => `<text x="${at}" ${more}>${text}</text>`;
  const decades: string[] = [];
  for (let value = from; value <= to * 1.001; value *= 10) {
    const name = value < 1 ? String(Number(value.toPrecision(1))) : Math.round(value).toLocaleString("en-US");
    decades.push(label(panel.left - 6, name, `y="${(bottom - y(value) + 4).toFixed(1)}" text-anchor="end"`));
  }
  return [
    label(panel.left - 40, title, 'y="16" font-weight="bold"'),
    `<path class="axis" d="M${panel.left} ${panel.top}V${bottom}H${panel.left + inner}"/>`,
    ...decades,
    ...sizes.map((size) =>
      label(panel.left + x(size), size.toLocaleString("en-US"), `y="${bottom + 16}" text-anchor="middle"`),
    ),
    label(panel.left + inner / 2, "servers", `y="${bottom + 32}" text-anchor="middle"`),
    builtIn === undefined ? "" : curve("built-in", builtIn),
    curve("ours", ours),
    label(panel.left + 8, "ours", `y="${panel.top + 6}" class="ours" stroke="none"`),
    builtIn === undefined
      ? ""
      : label(panel.left + 42, "built-in", `y="${panel.top + 6}" class="built-in" stroke="none"`),
  ].join("\n");
}
