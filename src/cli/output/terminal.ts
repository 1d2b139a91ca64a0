/**
 * Where a command writes: results to stdout, everything else to stderr.
 *
 * Colour and progress are for people: both are there on a terminal only, and colour not where NO_COLOR or TERM=dumb ask for none.
 * FORCE_COLOR asks for it everywhere, and before these, as it does of Node.js itself.
 */
export type Colour = "red" | "green" | "yellow" | "cyan" | "bold" | "dim";

const codes: Readonly<Record<Colour, readonly [number, number]>> = {
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  bold: [1, 22],
  dim: [2, 22],
};

/** As much of a stream as is used. */
export interface OutputStream {
  write(text: string): unknown;
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
}

export interface TerminalOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  readonly env: Readonly<Record<string, string | undefined>>;
}

const eraseLine = "\r\u001b[2K";

/** Of text from outside, which must not steer the terminal. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const controls = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of names, descriptions and errors with control characters made visible. */
export const printable = (text: string): string =>
  text.replace(controls, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);

export class Terminal {
  readonly #options: TerminalOptions;
  #hasStatus = false;

  constructor(options: TerminalOptions) {
    this.#options = options;
  }

  /** Whether a person looks at stdout. */
  get isInteractive(): boolean {
    return this.#options.stdout.isTTY === true;
  }

  get columns(): number | undefined {
    return this.isInteractive ? (this.#options.stdout.columns ?? 80) : undefined;
  }

  #paints(stream: OutputStream): boolean {
    const { env } = this.#options;
    if (env.FORCE_COLOR !== undefined) return !/^(0|false)$/.test(env.FORCE_COLOR);
    return stream.isTTY === true && !env.NO_COLOR && env.TERM !== "dumb";
  }

  /** Text in a colour, for stdout. */
  paint(colour: Colour, text: string): string {
    return this.#paints(this.#options.stdout) ? colored(colour, text) : text;
  }

  /** One or more lines of results. */
  print(text: string): void {
    this.#clear();
    this.#options.stdout.write(`${text}\n`);
  }

  /** Replaces what `--watch` has printed before. */
  clearScreen(): void {
    if (this.isInteractive) this.#options.stdout.write("\u001b[2J\u001b[3J\u001b[H");
  }

  /** A line beside the results, on stderr. */
  note(text: string): void {
    this.#clear();
    this.#options.stderr.write(`${text}\n`);
  }

  warn(text: string): void {
    const { stderr } = this.#options;
    this.note(`${this.#paints(stderr) ? colored("yellow", "warning:") : "warning:"} ${text}`);
  }

  hint(text: string): void {
    const { stderr } = this.#options;
    this.note(`${this.#paints(stderr) ? colored("cyan", "hint:") : "hint:"} ${text}`);
  }

  /** A line that the next output replaces; nothing where no person looks. */
  status(text: string): void {
    const { stderr } = this.#options;
    if (stderr.isTTY !== true) return;
    const width = (stderr.columns ?? 80) - 1;
    stderr.write(`${eraseLine}${text.slice(0, width)}`);
    this.#hasStatus = true;
  }

  #clear(): void {
    if (this.#hasStatus) this.#options.stderr.write(eraseLine);
    this.#hasStatus = false;
  }

  /** Takes the line of {@link status} away. */
  endStatus(): void {
    this.#clear();
  }
}

function colored(colour: Colour, text: string): string {
  const [on, off] = codes[colour];
  return `\u001b[${on}m${text}\u001b[${off}m`;
}

/** `[######----]  42 %` */
export function progressBar(done: number, total: number, width = 24): string {
  const part = total <= 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(part * width);
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}] ${String(Math.floor(part * 100)).padStart(3)} %`;
}
