/** Which proxy we take, in the words of main.go. */
import { ProxyRules } from "../../../src/aws/network/proxy-rules.ts";
import type { ProxyRow } from "./proxy-rows.ts";

export function ourProxy({ Proxy: { HTTPProxy, HTTPSProxy, NoProxy, URL: address } }: ProxyRow): string {
  const rules = new ProxyRules({ HTTP_PROXY: HTTPProxy, HTTPS_PROXY: HTTPSProxy, NO_PROXY: NoProxy });
  const { protocol, hostname, port } = new URL(address);
  const proxy = rules.proxyFor(protocol, hostname, port === "" ? undefined : Number(port));
  return proxy === undefined ? "" : `${proxy.protocol}//${proxy.name}`;
}

const defaultPorts: Readonly<Record<string, string>> = { "http:": "80", "https:": "443", "socks5:": "1080" };

/** Go's answer without user and password, and with the port that it leaves out. */
export function plainProxy(found: string): string {
  if (found === "") return "";
  const { protocol, hostname, port } = new URL(found);
  return `${protocol}//${hostname}:${port || defaultPorts[protocol]}`;
}
