/** Calls a day and server against the size of the fleet, for what scans ask: ours and the built-in's, on logarithmic scales. */
import type { FleetRow } from "./table.ts";

const width = 720;
const height = 300;
const margin = { left: 70, right: 20, top: 40, bottom: 45 };
const panels = ["DescribeKey", "ListAliases"] as const;
const panelWidth = (width - margin.left - margin.right - 60) / panels.length;

const logScale = (from: number, to: number, length: number) => (value: number) =>
  (length * (Math.log10(value) - Math.log10(from))) / (Math.log10(to) - Math.log10(from));

export function fleetPlot(rows: readonly FleetRow[]): string {
  const sizes = rows.map(({ ours }) => ours.servers);
  const drawn = panels.map((operation, index) => panel(operation, index, rows, sizes));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12" role="img" aria-label="Calls a day and server by size of the fleet">`,
    `<style>text{fill:#333}.axis{stroke:#888;fill:none}.ours{stroke:#0b6e4f;fill:#0b6e4f}.built-in{stroke:#b3261e;fill:#b3261e}line.ours,polyline{fill:none;stroke-width:2}@media (prefers-color-scheme:dark){text{fill:#ddd}}</style>`,
    ...drawn,
    "</svg>",
    "",
  ].join("\n");
}

function panel(operation: string, index: number, rows: readonly FleetRow[], sizes: readonly number[]): string {
  const left = margin.left + index * (panelWidth + 60);
  const bottom = height - margin.bottom;
  const values = rows.flatMap(({ ours, builtIn }) => [ours.callsADay[operation] ?? 0, builtIn[operation] ?? 0]);
  const least = 10 ** Math.floor(Math.log10(Math.max(0.01, Math.min(...values.filter((value) => value > 0)))));
  const most = 10 ** Math.ceil(Math.log10(Math.max(...values)));
  const x = logScale(Math.min(...sizes), Math.max(...sizes, Math.min(...sizes) * 10), panelWidth);
  const y = logScale(least, most, bottom - margin.top);
  const curve = (name: string, of: (row: FleetRow) => number): string => {
    const points = rows.map((row): readonly [number, number] => [
      left + x(row.ours.servers),
      bottom - y(Math.max(of(row), least)),
    ]);
    const dots = points.map(
      ([cx, cy]) => `<circle class="${name}" cx="${cx.toFixed(1)}" cy="${cy.toFixed(1)}" r="3"/>`,
    );
    return `<polyline class="${name}" points="${points.map((point) => point.map((value) => value.toFixed(1)).join(",")).join(" ")}"/>${dots.join("")}`;
  };
  const decades: string[] = [];
  for (let value = least; value <= most; value *= 10) {
    const at = bottom - y(value);
    decades.push(`<text x="${left - 6}" y="${at + 4}" text-anchor="end">${value.toLocaleString("en-US")}</text>`);
  }
  return [
    `<text x="${left}" y="20">${operation}, calls a day and server</text>`,
    `<path class="axis" d="M${left} ${margin.top}V${bottom}H${left + panelWidth}"/>`,
    ...decades,
    ...sizes.map(
      (size) =>
        `<text x="${left + x(size)}" y="${bottom + 18}" text-anchor="middle">${size.toLocaleString("en-US")}</text>`,
    ),
    `<text x="${left + panelWidth / 2}" y="${height - 8}" text-anchor="middle">servers</text>`,
    curve("built-in", ({ builtIn }) => builtIn[operation] ?? least),
    curve("ours", ({ ours }) => ours.callsADay[operation] ?? least),
    `<text x="${left + 10}" y="${margin.top + 8}" class="built-in" stroke="none">built-in</text>`,
    `<text x="${left + 70}" y="${margin.top + 8}" class="ours" stroke="none">ours</text>`,
  ].join("\n");
}
