/** The logger of a plugin, whose lines the host takes into its own log. */
import { formatHclogLine } from "./hclog-line.ts";
import { type LogFields, type Logger, type LogLevel, logLevels } from "./logger.ts";

export interface HclogOptions {
  /** Takes one line without its newline; must not throw. */
  readonly write: (line: string) => void;
  /** `@module` of every line. */
  readonly name?: string | undefined;
  /** The least level that is written; default `trace`, since the host filters by its own level. */
  readonly level?: LogLevel | undefined;
  readonly now?: () => Date;
}

/** A logger in go-hclog's JSON form, as go-plugin's hosts parse it. Its methods never throw. */
export function createHclog(options: HclogOptions): Logger {
  const threshold = logLevels.indexOf(options.level ?? "trace");
  const now = options.now ?? (() => new Date());

  function make(module: string, bound: LogFields): Logger {
    const at = (level: LogLevel) => {
      if (logLevels.indexOf(level) < threshold) return () => undefined;
      return (message: string, fields?: LogFields): void => {
        // Callers in plain JavaScript may pass anything; a message that is not a string crashes the host's reader.
        options.write(
          formatHclogLine({
            level,
            message: asText(message),
            module,
            timestamp: now(),
            fields: { ...bound, ...fields },
          }),
        );
      };
    };
    return {
      trace: at("trace"),
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      named: (name) => make(module === "" ? name : `${module}.${name}`, bound),
      with: (fields) => make(module, { ...bound, ...fields }),
    };
  }

  return make(options.name ?? "", {});
}

function asText(message: unknown): string {
  if (typeof message === "string") return message;
  try {
    return String(message);
  } catch {
    return "[unreadable message]";
  }
}
