/** A way through a proxy: the proxy is asked for a connection to a host (CONNECT), and what follows is the host's. */
import { connect as connectPlain, isIP, type Socket } from "node:net";
import { connect as connectTls, type SecureContext } from "node:tls";
import type { HttpProxy } from "./proxy-rules.ts";

const limitMs = 3_000;
/** What a proxy says before the connection is there. */
const maxHeadBytes = 16 * 1024;

export interface TunnelOptions {
  readonly proxy: HttpProxy;
  readonly host: string;
  readonly port: number;
  readonly secureContext: SecureContext | undefined;
}

/** A code by which it is known that the request was never sent. */
export const proxyRefused = (message: string) => Object.assign(new Error(message), { code: "ECONN_PROXY" });

function dial({ proxy, secureContext }: TunnelOptions): Socket {
  const { host, port, protocol } = proxy;
  if (protocol === "http:") return connectPlain({ host, port });
  const context = secureContext === undefined ? {} : { secureContext };
  return connectTls({ host, port, ...(isIP(host) === 0 ? { servername: host } : {}), ...context });
}

/** The status of a whole answer to CONNECT, and what came behind it; undefined while there is more to come. */
function statusIn(head: Buffer): { readonly status: string; readonly rest: Buffer } | undefined {
  const end = head.indexOf("\r\n\r\n");
  if (end < 0) return undefined;
  const [line = ""] = head.toString("latin1", 0, end).split("\r\n", 1);
  return { status: /^HTTP\/1\.[01] (\d{3})/.exec(line)?.[1] ?? "", rest: head.subarray(end + 4) };
}

const adviceFor = (status: string): string => {
  if (status === "407") return "HTTP 407; it wants a user and a password in HTTPS_PROXY";
  return status === "" ? "its answer is not HTTP" : `HTTP ${status}; allow the host there, or name it in NO_PROXY`;
};

/** Asks the proxy for the connection. Never tells what the proxy was sent: that holds its password. */
export function openTunnel(options: TunnelOptions): Promise<Socket> {
  const { proxy, host, port } = options;
  const { name, protocol, authorization } = proxy;
  if (protocol !== "http:" && protocol !== "https:") {
    const message = `the proxy ${name} is a ${protocol.slice(0, -1)} proxy; name an http:// or https:// proxy in HTTPS_PROXY`;
    return Promise.reject(proxyRefused(message));
  }
  const target = `${isIP(host) === 6 ? `[${host}]` : host}:${port}`;
  return new Promise((resolve, reject) => {
    const socket = dial(options);
    let head = Buffer.alloc(0);
    const fail = (message: string) => {
      socket.destroy();
      reject(proxyRefused(message));
    };
    const timer = setTimeout(() => fail(`the proxy ${name} did not open the way to ${target} in time`), limitMs);
    const failed = (error: Error) => fail(`the proxy ${name} cannot be reached: ${error.message}`);
    const ended = () => fail(`the proxy ${name} closed the connection without an answer`);
    const heard = (chunk: Buffer) => {
      head = Buffer.concat([head, chunk]);
      const answer = statusIn(head);
      if (answer === undefined) {
        if (head.length > maxHeadBytes) fail(`the proxy ${name} refused the connection to ${target}: ${adviceFor("")}`);
        return;
      }
      clearTimeout(timer);
      socket.off("data", heard).off("error", failed).off("close", ended);
      if (answer.status !== "200")
        return fail(`the proxy ${name} refused the connection to ${target}: ${adviceFor(answer.status)}`);
      socket.pause();
      if (answer.rest.length > 0) socket.unshift(answer.rest);
      resolve(socket);
    };
    socket.once("close", () => clearTimeout(timer));
    socket.on("data", heard).on("error", failed).on("close", ended);
    socket.once(protocol === "https:" ? "secureConnect" : "connect", () => {
      const access = authorization === undefined ? "" : `Proxy-Authorization: ${authorization}\r\n`;
      socket.write(`CONNECT ${target} HTTP/1.1\r\nHost: ${target}\r\n${access}\r\n`);
    });
  });
}
