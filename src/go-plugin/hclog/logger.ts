/** The logger that plugin code writes to, without a word on where the lines go. */

export const logLevels = ["trace", "debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof logLevels)[number];

/** Anything; values that JSON cannot hold are written as text. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The port every layer logs through. Implementations never throw. */
export interface Logger {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A logger whose module is this one's, a dot, and `name`. */
  named(name: string): Logger;
  /** A logger that adds `fields` to every line. */
  with(fields: LogFields): Logger;
}

/** Drops everything. */
export const silentLogger: Logger = {
  trace: () => undefined,
  debug: () => undefined,
  info: () => undefined,
  warn: () => undefined,
  error: () => undefined,
  named: () => silentLogger,
  with: () => silentLogger,
};
