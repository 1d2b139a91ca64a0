/** What a command printed on a terminal, as an SVG: text stays text, colours are those of the terminal. */

const columnWidth = 7.82;
const lineHeight = 18;
const padding = 16;
const barHeight = 30;

const colours: Readonly<Record<string, string>> = {
  "31": "#ff7b72",
  "32": "#7ee787",
  "33": "#e3b341",
  "34": "#79c0ff",
  "35": "#d2a8ff",
  "36": "#76e3ea",
};

interface Style {
  readonly colour?: string | undefined;
  readonly isBold?: boolean;
  readonly isDim?: boolean;
}

interface Piece extends Style {
  readonly text: string;
}

const escaped = (text: string): string => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");

function styled(style: Style, code: string): Style {
  if (code === "" || code === "0") return {};
  if (code === "1") return { ...style, isBold: true };
  if (code === "2") return { ...style, isDim: true };
  if (code === "22") return { ...style, isBold: false, isDim: false };
  if (code === "39") return { ...style, colour: undefined };
  return colours[code] === undefined ? style : { ...style, colour: colours[code] };
}

function piecesOf(line: string): Piece[] {
  let style: Style = {};
  const pieces: Piece[] = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences are what is read
  for (const part of line.split(/(\u001b\[[\d;]*[A-Za-z])/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above
    const [, codes] = /^\u001b\[([\d;]*)m$/.exec(part) ?? [];
    if (codes !== undefined) for (const code of codes.split(";")) style = styled(style, code);
    else if (!part.startsWith("\u001b") && part !== "") pieces.push({ ...style, text: part });
  }
  return pieces;
}

function lineText(pieces: readonly Piece[], y: number): string {
  let column = 0;
  const spans = pieces.map(({ text, colour, isBold, isDim }) => {
    const x = padding + column * columnWidth;
    column += [...text].length;
    const look = `${colour === undefined ? "" : ` fill="${colour}"`}${isBold ? ' font-weight="700"' : ""}${isDim ? ' opacity=".65"' : ""}`;
    return `<tspan x="${x.toFixed(1)}"${look}>${escaped(text)}</tspan>`;
  });
  return `<text y="${y}" xml:space="preserve">${spans.join("")}</text>`;
}

export function terminalSvg(command: string, output: string): string {
  const lines = output.replaceAll("\r", "").trimEnd().split("\n").map(piecesOf);
  const plain = (pieces: readonly Piece[]) => pieces.reduce((sum, { text }) => sum + [...text].length, 0);
  const columns = Math.max(60, ...lines.map(plain));
  const width = Math.ceil(columns * columnWidth + 2 * padding);
  const height = barHeight + (lines.length + 2) * lineHeight + padding;
  const prompt = lineText(
    [
      { text: "$ ", colour: "#7ee787" },
      { text: command, isBold: true },
    ],
    barHeight + lineHeight,
  );
  const rows = lines.map((pieces, index) => lineText(pieces, barHeight + (index + 2) * lineHeight + 4));
  const dots = ["#ff5f57", "#febc2e", "#28c840"].map(
    (fill, index) => `<circle cx="${18 + index * 18}" cy="15" r="5.5" fill="${fill}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(command).replaceAll('"', "&quot;")}">
<rect width="${width}" height="${height}" rx="9" fill="#10161d"/>${dots.join("")}
<g font-family="ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="13" fill="#dce3ea">
${prompt}
${rows.join("\n")}
</g></svg>
`;
}
