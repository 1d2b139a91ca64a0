/** Resident memory over signatures, as an SVG. */

export interface Point {
  readonly signatures: number;
  readonly megabytes: number;
}

/** Of the line of least squares, in megabytes a signature. */
export function slope(points: readonly Point[]): number {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const x = mean(points.map(({ signatures }) => signatures));
  const y = mean(points.map(({ megabytes }) => megabytes));
  let above = 0;
  let below = 0;
  for (const { signatures, megabytes } of points) {
    above += (signatures - x) * (megabytes - y);
    below += (signatures - x) ** 2;
  }
  return below === 0 ? 0 : above / below;
}

const width = 800;
const height = 320;
const margin = { left: 60, right: 20, top: 40, bottom: 45 };

export interface PlotFacts {
  readonly signatures: number;
  readonly perSecond: number;
  readonly slopeMbPerMillion: number;
  readonly node: string;
}

export function soakPlot(points: readonly Point[], facts: PlotFacts): string {
  const mostMb = Math.ceil(Math.max(...points.map(({ megabytes }) => megabytes)) / 50) * 50;
  const x = (signatures: number) =>
    margin.left + (signatures / facts.signatures) * (width - margin.left - margin.right);
  const y = (megabytes: number) =>
    height - margin.bottom - (megabytes / mostMb) * (height - margin.top - margin.bottom);
  const line = points.map(({ signatures, megabytes }) => `${x(signatures).toFixed(1)},${y(megabytes).toFixed(1)}`);
  const text = (at: readonly [number, number], words: string, anchor = "middle") =>
    `<text x="${at[0]}" y="${at[1]}" text-anchor="${anchor}">${words}</text>`;
  const rules = [0, 0.25, 0.5, 0.75, 1].flatMap((part) => {
    const level = y(mostMb * part);
    const across = `<line x1="${margin.left}" y1="${level}" x2="${width - margin.right}" y2="${level}" stroke="#ddd"/>`;
    const signatures = facts.signatures * part;
    return [
      across,
      text([margin.left - 8, level + 4], `${mostMb * part}`, "end"),
      text([x(signatures), height - margin.bottom + 18], signatures.toLocaleString("en-US")),
    ];
  });
  const title = `${facts.signatures.toLocaleString("en-US")} signatures, ${facts.perSecond}/s, ${facts.slopeMbPerMillion} MB per million in the second half, Node ${facts.node}`;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="12">`,
    `<rect width="${width}" height="${height}" fill="#fff"/>`,
    text([width / 2, 22], title),
    ...rules,
    `<polyline fill="none" stroke="#0a5" stroke-width="1.5" points="${line.join(" ")}"/>`,
    text([width / 2, height - 8], "signatures (vertical: resident memory of the plugin, MB)"),
    "</svg>",
    "",
  ].join("\n");
}
