/** A log that keeps its lines, for tests to read. */
import type { LogFields, Logger, LogLevel } from "../../go-plugin/hclog/logger.ts";

export interface LogLine {
  readonly level: LogLevel;
  readonly message: string;
  /** The plugin's name and what `named()` has added, with dots. */
  readonly module: string;
  readonly fields: LogFields;
}

/** A logger that hands each line on. */
export function capturingLogger(keep: (line: LogLine) => void, module = "plugin", always: LogFields = {}): Logger {
  const at = (level: LogLevel) => (message: string, fields?: LogFields) =>
    keep({ level, message, module, fields: { ...always, ...fields } });
  return {
    trace: at("trace"),
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
    named: (name) => capturingLogger(keep, `${module}.${name}`, always),
    with: (fields) => capturingLogger(keep, module, { ...always, ...fields }),
  };
}
