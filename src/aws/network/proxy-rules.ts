/**
 * Which requests go through which proxy: HTTPS_PROXY, HTTP_PROXY and NO_PROXY as Go's HTTP client, and with it the built-in
 * plugin, reads them (golang.org/x/net/http/httpproxy).
 */
import { BlockList, isIP } from "node:net";

type Environment = Readonly<Record<string, string | undefined>>;

export interface HttpProxy {
  readonly protocol: string;
  readonly host: string;
  readonly port: number;
  /** For the header `Proxy-Authorization`; a secret. */
  readonly authorization: string | undefined;
  /** As messages name it, without user and password. */
  readonly name: string;
}

type Matches = (host: string, port: string) => boolean;

const defaultPorts: Readonly<Record<string, string>> = { "http:": "80", "https:": "443", "socks5:": "1080" };

const unbracketed = (host: string): string => host.replace(/^\[(.*)\]$/, "$1");

/** The text as a URL, or with `http://` before it if that makes it one. */
function urlOf(text: string): URL | undefined {
  if (text === "") return undefined;
  const isWhole = /^[a-z][a-z0-9+.-]*:\/\/[^/]/i.test(text) && URL.canParse(text);
  const url = isWhole ? text : `http://${text}`;
  return URL.canParse(url) ? new URL(url) : undefined;
}

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

function proxyOf(text: string): HttpProxy | undefined {
  const url = urlOf(text);
  if (url === undefined) return undefined;
  const host = unbracketed(url.hostname);
  const port = url.port || (defaultPorts[url.protocol] ?? "1080");
  const user = `${decoded(url.username)}:${decoded(url.password)}`;
  return {
    protocol: url.protocol,
    host,
    port: Number(port),
    authorization: user === ":" ? undefined : `Basic ${Buffer.from(user).toString("base64")}`,
    name: `${isIP(host) === 6 ? `[${host}]` : host}:${port}`,
  };
}

const isLoopback = new BlockList();
isLoopback.addSubnet("127.0.0.0", 8, "ipv4");
isLoopback.addAddress("::1", "ipv6");

const family = (address: string) => (isIP(address) === 6 ? "ipv6" : "ipv4");

function ofNetwork(entry: string): Matches | undefined {
  const [address = "", bits = "", rest] = entry.split("/");
  const version = isIP(address);
  if (rest !== undefined || version === 0 || !/^\d{1,3}$/.test(bits)) return undefined;
  if (Number(bits) > (version === 4 ? 32 : 128)) return undefined;
  const list = new BlockList();
  list.addSubnet(address, Number(bits), family(address));
  return (host) => isIP(host) !== 0 && list.check(host, family(host));
}

/** Host and port of an entry; the port is empty if there is none. */
function split(entry: string): readonly [host: string, port: string] {
  const [, bracketed, plain, port = ""] = /^(?:\[([^\]]*)\]|([^:]*)):(\w*)$/.exec(entry) ?? [];
  return bracketed === undefined && plain === undefined ? [entry, ""] : [bracketed ?? plain ?? "", port];
}

/** One entry of NO_PROXY, in lower case; undefined for what Go passes over. */
function matcher(entry: string): Matches | undefined {
  const network = ofNetwork(entry);
  if (network !== undefined) return network;
  const [host, port] = split(entry);
  if (host === "") return undefined;
  const isPort: Matches = (_, asked) => port === "" || port === asked;
  if (isIP(host) !== 0) {
    const list = new BlockList();
    list.addAddress(host, family(host));
    return (asked, at) => isIP(asked) !== 0 && list.check(asked, family(asked)) && isPort(asked, at);
  }
  const suffix = host.startsWith("*.") ? host.slice(1) : host.startsWith(".") ? host : `.${host}`;
  const isWhole = !host.startsWith("*.") && !host.startsWith(".");
  return (asked, at) => (asked.endsWith(suffix) || (isWhole && asked === suffix.slice(1))) && isPort(asked, at);
}

export class ProxyRules {
  readonly #http: HttpProxy | undefined;
  readonly #https: HttpProxy | undefined;
  readonly #excluded: readonly Matches[];

  constructor(env: Environment) {
    const variable = (name: string) => env[name] || env[name.toLowerCase()] || "";
    // Where a web server runs the process, HTTP_PROXY may be a header that a client has sent.
    this.#http = env.REQUEST_METHOD ? undefined : proxyOf(variable("HTTP_PROXY"));
    this.#https = proxyOf(variable("HTTPS_PROXY"));
    const entries = variable("NO_PROXY").split(",");
    const found: Matches[] = [];
    for (const entry of entries.map((text) => text.trim().toLowerCase()).filter(Boolean)) {
      if (entry === "*") {
        this.#excluded = [() => true];
        return;
      }
      const matches = matcher(entry);
      if (matches !== undefined) found.push(matches);
    }
    this.#excluded = found;
  }

  /** All proxies that there are. */
  get proxies(): readonly HttpProxy[] {
    return [this.#http, this.#https].filter((proxy) => proxy !== undefined);
  }

  /** The proxy for a request, or undefined if it goes straight. This machine is never asked through one. */
  proxyFor(protocol: string, hostname: string, port: number | undefined): HttpProxy | undefined {
    const proxy = protocol === "https:" ? this.#https : this.#http;
    if (proxy === undefined) return undefined;
    const host = unbracketed(hostname).trim().toLowerCase();
    if (host === "localhost" || (isIP(host) !== 0 && isLoopback.check(host, family(host)))) return undefined;
    const at = String(port ?? defaultPorts[protocol]);
    return this.#excluded.some((matches) => matches(host, at)) ? undefined : proxy;
  }
}
