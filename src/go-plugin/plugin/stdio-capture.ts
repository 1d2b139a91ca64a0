/** Keeps the descriptors 1 and 2 for the protocol, whatever a library prints. */
import { LineSplitter } from "../hclog/line-splitter.ts";
import type { Logger } from "../hclog/logger.ts";
import type { StdioChannel } from "../stdio-channel.ts";
import type { StdioService } from "./grpc-stdio.ts";

const maxLineBytes = 16 * 1024;
/** Bytes of stdout kept until the stdio service is there; what comes after them is dropped. */
const maxEarlyBytes = 64 * 1024;

export interface OutputCapture {
  /** Sends what was printed to stdout so far, and what will be, to the host's stream. */
  attach(stdio: Pick<StdioService, "write">): void;
  /** Logs an unfinished line of stderr. */
  flush(): void;
}

/**
 * Leads what the plugin's code prints away from the two descriptors the protocol owns: stdout to the host's stdio
 * stream, stderr line by line to the log at debug, where go-plugin's hosts put lines they cannot parse.
 */
export function captureOutput(log: Logger): OutputCapture {
  const lines = new LineSplitter((line) => log.debug(line, { source: "stderr" }), maxLineBytes);
  const early: Buffer[] = [];
  let earlyBytes = 0;
  let sink: Pick<StdioService, "write"> | undefined;
  let hasDropped = false;
  captureStdio((channel, data) => {
    if (channel === "stderr") {
      if (!isNodeDebug(data)) return lines.push(data);
      if (!hasDropped) log.warn("NODE_DEBUG is set: what Node prints for it can hold secrets, and is not passed on");
      hasDropped = true;
    } else if (sink !== undefined) sink.write(channel, data);
    else if (earlyBytes < maxEarlyBytes) {
      early.push(data);
      earlyBytes += data.length;
    }
  });
  return {
    attach(stdio) {
      sink = stdio;
      // Whoever got hold of the real streams before the capture writes to these very objects: redirect them now.
      void [process.stdout, process.stderr];
      for (const data of early) stdio.write("stdout", data);
      early.length = 0;
    },
    flush: () => lines.end(),
  };
}

const nodeDebug = new RegExp(`^[A-Z0-9_-]+ ${process.pid}: `);

/** What Node itself prints when NODE_DEBUG asks for it: whole requests, headers and all. One write is one message. */
const isNodeDebug = (data: Buffer): boolean =>
  Boolean(process.env.NODE_DEBUG) && nodeDebug.test(data.toString("latin1", 0, 100));

type Taker = (channel: StdioChannel, data: Buffer) => void;

/**
 * Takes over `process.stdout` and `process.stderr` until the process ends: stdout belongs to the handshake and stderr to log lines, so
 * what any library prints goes to `take` instead. The streams themselves stay, only what is written to them is led away.
 */
function captureStdio(take: Taker): void {
  captureStream("stdout", take);
  captureStream("stderr", take);
}

function captureStream(channel: StdioChannel, take: Taker): void {
  const original = Object.getOwnPropertyDescriptor(process, channel);
  if (original === undefined) return;
  let stream: NodeJS.WriteStream | undefined;
  // Node makes these streams when they are first asked for, which costs start-up time; so does this.
  Object.defineProperty(process, channel, {
    configurable: true,
    enumerable: true,
    get: () => {
      if (stream === undefined) {
        stream = (original.get === undefined ? original.value : original.get.call(process)) as NodeJS.WriteStream;
        redirectWrites(stream, (data) => take(channel, data));
      }
      return stream;
    },
  });
}

type WriteCallback = (error?: Error | null) => void;

function redirectWrites(stream: NodeJS.WriteStream, take: (data: Buffer) => void): void {
  stream.write = (chunk: unknown, encoding?: unknown, callback?: unknown): boolean => {
    take(toBytes(chunk, encoding));
    const done = typeof encoding === "function" ? encoding : callback;
    if (typeof done === "function") process.nextTick(done as WriteCallback);
    return true;
  };
}

function toBytes(chunk: unknown, encoding: unknown): Buffer {
  if (typeof chunk === "string") return Buffer.from(chunk, isEncoding(encoding) ? encoding : "utf8");
  if (chunk instanceof Uint8Array) return Buffer.from(chunk);
  return Buffer.from(String(chunk));
}

function isEncoding(encoding: unknown): encoding is BufferEncoding {
  return typeof encoding === "string" && Buffer.isEncoding(encoding);
}
