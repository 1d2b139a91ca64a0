/** Keeping what the SDK signs with out of what it throws. */

interface Credentials {
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
}

type Send = <Input, Output>(next: (args: Input) => Promise<Output>) => (args: Input) => Promise<Output>;

/** The part of an SDK client that this needs. */
export interface SigningClient {
  readonly config: { readonly credentials: () => Promise<Credentials> };
  readonly middlewareStack: { add(send: Send, options: { step: "initialize"; name: string; priority: "high" }): void };
}

const withheld = "[withheld]";

/**
 * What this process signs with or has signed with, latest last, each with the pattern of its forms. One map for all clients:
 * an error may come when its request's credentials have been replaced already, or be about those that a role was assumed
 * with.
 */
const known = new Map<string, RegExp>();
const maxKnown = 32;
/** What is shorter is no secret of AWS's but a "test" for an emulator, and words that have it in them shall stay. */
const minSecretLength = 8;
/** The pattern of a longer one costs more than it is worth; its beginning gives it away as well. */
const maxPatternLength = 512;

const literal = (text: string): string => text.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&");

/**
 * What may stand between two characters of a value that was broken into lines, as it is or escaped. Each alternative begins
 * with another character, so that no message makes the search slow.
 */
const breaks = "(?:[ \\t\\r\\n]|\\\\[rn]|%0[AaDd])*";

/** A character, and how JSON, Go, URLs and HTML write it. */
function formsOf(character: string): string {
  if (/[A-Za-z0-9]/.test(character)) return character;
  const code = character.charCodeAt(0);
  const hex = code.toString(16).padStart(2, "0");
  const anyCase = hex.replace(/[a-f]/g, (digit) => `[${digit}${digit.toUpperCase()}]`);
  const forms = [literal(character), `\\\\+${literal(character)}`, `\\\\+[ux](?:00)?${anyCase}`, `%(?:25)*${anyCase}`];
  return `(?:${[...forms, `&#x?(?:${code}|${anyCase});`].join("|")})`;
}

/** The base64 of a text, wherever it stands in a longer one: the characters that its neighbours cannot change. */
function base64Of(secret: string): string[] {
  return [0, 1, 2].map((offset) => {
    const encoded = Buffer.from("\0".repeat(offset) + secret)
      .toString("base64")
      .replace(/=+$/, "");
    const from = Math.ceil((offset * 8) / 6);
    const to = Math.floor(((offset + Buffer.byteLength(secret)) * 8) / 6);
    return encoded.slice(from, to);
  });
}

function patternOf(secret: string): RegExp {
  const start = secret.slice(0, maxPatternLength);
  const rest = secret.length > maxPatternLength ? "[A-Za-z0-9+/=%\\\\]*" : "";
  const written = [...start].map(formsOf).join(breaks) + rest;
  const encoded = base64Of(start).map((text) => [...text].map(literal).join(breaks) + rest);
  const urlSafe = encoded.map((text) => text.replaceAll("\\+", "[+-]").replaceAll("\\/", "[/_]"));
  return new RegExp([written, ...urlSafe].join("|"), "g");
}

function remember(secret: string | undefined): void {
  if (secret === undefined || secret.length < minSecretLength) return;
  const pattern = known.get(secret) ?? patternOf(secret);
  known.delete(secret);
  known.set(secret, pattern);
  for (const oldest of known.keys()) {
    if (known.size <= maxKnown) break;
    known.delete(oldest);
  }
}

/** From now on no error of any client tells these. */
export function withholdSecrets({ secretAccessKey, sessionToken }: Credentials): void {
  remember(secretAccessKey);
  remember(sessionToken);
}

/** From now on no error of any client tells the user and password of a proxy. */
export function withholdProxy(authorization: string | undefined): void {
  if (authorization === undefined) return;
  const user = Buffer.from(authorization.replace(/^Basic /, ""), "base64").toString();
  remember(user);
  remember(user.slice(user.indexOf(":") + 1));
}

/** From now on no error of any client tells this token. */
export function withholdToken(token: string): void {
  remember(token);
}

/** A text without any secret of this process, in whatever form it stands there. */
export function strikeSecrets(text: string): string {
  let struck = text;
  for (const pattern of known.values()) struck = struck.replace(pattern, withheld);
  return struck;
}

/**
 * Takes secrets and session tokens out of the message of every error that the client throws: AWS's signature errors
 * quote the whole request, and so may whatever stands between AWS and us.
 */
export function withholdCredentials(client: SigningClient): void {
  const clean = async (error: unknown): Promise<void> => {
    // Where none could be found none can have been told, and looking for them again would take its time.
    if (!(error instanceof Error) || /^(KmsError|(Credentials|Token)ProviderError)$/.test(error.name)) return;
    const credentials = await client.config.credentials().catch(() => undefined);
    if (credentials !== undefined) withholdSecrets(credentials);
    // An answer's `message` may be of any type, and becomes the error's as it is.
    if (typeof error.message !== "string") error.message = "";
    error.message = strikeSecrets(error.message);
  };
  const send: Send = (next) => async (args) => {
    try {
      return await next(args);
    } catch (error) {
      await clean(error);
      throw error;
    }
  };
  client.middlewareStack.add(send, { step: "initialize", name: "withholdCredentials", priority: "high" });
}
