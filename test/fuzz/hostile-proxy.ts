/** Something between the plugin and KMS that falsifies what KMS answers. */
import { createServer, type IncomingMessage, request, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Chance } from "./seed.ts";

export interface HostileProxy {
  readonly endpoint: string;
  /** Whether answers are falsified. */
  isHostile: boolean;
  /** What was done, by kind. */
  readonly done: ReadonlyMap<string, number>;
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
}

const nonsense: readonly [unknown, ...unknown[]] = [
  null,
  0,
  -1,
  1e308,
  "",
  "x",
  true,
  [],
  [null],
  {},
  { a: [] },
  "\u0000",
  "A".repeat(5_000),
];

/** Changes a value somewhere in JSON: another type, another value, nothing at all, or an unknown member. */
function falsify(value: unknown, chance: Chance): unknown {
  if (chance.random() < 0.25 || typeof value !== "object" || value === null) return chance.pick(nonsense);
  if (Array.isArray(value)) {
    const at = chance.below(value.length + 1);
    return value.toSpliced(at, 1, at < value.length ? falsify(value[at], chance) : chance.pick(nonsense));
  }
  const entries = Object.entries(value);
  const [name, member] = entries[chance.below(entries.length)] ?? ["Unknown", undefined];
  const others = Object.fromEntries(entries.filter(([other]) => other !== name));
  return chance.random() < 0.3 ? others : { ...others, [name]: falsify(member, chance) };
}

const kinds = {
  "another value": ({ body, ...answer }: Answer, chance: Chance): Answer => {
    const text = body.toString();
    const json: unknown = text.startsWith("{") ? JSON.parse(text) : {};
    return { ...answer, body: Buffer.from(JSON.stringify(falsify(json, chance))) };
  },
  "broken bytes": (answer: Answer, chance: Chance): Answer => ({ ...answer, body: chance.mutate(answer.body) }),
  "no JSON": (answer: Answer, chance: Chance): Answer => ({ ...answer, body: chance.bytes(chance.below(300)) }),
  "a page of HTML": (answer: Answer): Answer => ({ ...answer, body: Buffer.from("<html><body>Sign in</body></html>") }),
  "another status": (answer: Answer, chance: Chance): Answer => ({
    ...answer,
    status: chance.pick([204, 301, 302, 307, 400, 401, 403, 404, 418, 429, 500, 503]),
    headers: { ...answer.headers, location: "http://127.0.0.1:9/" },
  }),
  "a huge answer": (answer: Answer): Answer => ({
    ...answer,
    body: Buffer.concat([Buffer.from("{"), Buffer.alloc(6 * 2 ** 20, " "), Buffer.from("}")]),
  }),
  "an unknown error": (answer: Answer, chance: Chance): Answer => ({
    ...answer,
    status: 400,
    body: Buffer.from(
      JSON.stringify({
        __type: chance.pick(["", "x#y", "constructor", "__proto__", "a\nb"]),
        message: chance.pick(nonsense),
      }),
    ),
  }),
  "wrong headers": (answer: Answer): Answer => ({
    ...answer,
    headers: { "content-type": "image/png", date: "yesterday", "x-amzn-requestid": "\u00ff".repeat(50) },
  }),
  "next page for ever": (answer: Answer, chance: Chance): Answer => ({
    ...answer,
    body: Buffer.from(JSON.stringify({ Aliases: [], Keys: [], Truncated: true, NextMarker: chance.pick(["a", "b"]) })),
  }),
} as const;

export type Falsification = keyof typeof kinds | "cut short";

/** @param chanceOf gives the chance of the n-th hostile answer to an operation, counted from 1 */
export async function startHostileProxy(
  target: string,
  chanceOf: (operation: string, ordinal: number) => Chance,
): Promise<HostileProxy> {
  const done = new Map<string, number>();
  const asked = new Map<string, number>();
  const names: [Falsification, ...Falsification[]] = ["cut short", "another value", "another value", "another value"];
  names.push(...(Object.keys(kinds) as Falsification[]));
  let isHostile = false;

  const server = createServer(async (incoming, response) => {
    // Before anything is waited for: one operation's requests come one after another, where the plugin sends them so.
    const operation = operationOf(incoming);
    const ordinal = isHostile ? (asked.get(operation) ?? 0) + 1 : 0;
    if (ordinal > 0) asked.set(operation, ordinal);
    const answer = await forward(incoming, target);
    const chance = chanceOf(operation, ordinal);
    if (ordinal === 0 || chance.random() < 0.3) return send(response, answer);
    const name = chance.pick(names);
    done.set(name, (done.get(name) ?? 0) + 1);
    if (name === "cut short") {
      response.writeHead(200, { "content-length": "1000" });
      response.write("{");
      setTimeout(() => response.destroy(), 10);
    } else send(response, kinds[name](answer, chance));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    done,
    get isHostile() {
      return isHostile;
    },
    set isHostile(value) {
      isHostile = value;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/** KMS's and the tagging API's operations by name; STS's and IAM's together, of which there is one a start. */
const operationOf = ({ headers }: IncomingMessage): string =>
  String(headers["x-amz-target"] ?? "query").replace(/^.*\./, "");

function send(response: ServerResponse, { status, headers, body }: Answer): void {
  const { "transfer-encoding": _, connection: __, ...rest } = headers;
  response.writeHead(status, { ...rest, "content-length": String(status === 204 ? 0 : body.length) });
  response.end(status === 204 ? undefined : body);
}

async function forward(incoming: IncomingMessage, target: string): Promise<Answer> {
  const { method, headers } = incoming;
  const body = await read(incoming);
  return new Promise((resolve, reject) => {
    const outgoing = request(target, { method, headers }, async (answer) => {
      resolve({ status: answer.statusCode ?? 500, headers: answer.headers, body: await read(answer) });
    });
    outgoing.once("error", reject);
    outgoing.end(body);
  });
}

async function read(stream: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
