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
 * What this process signs with or has signed with, latest last. One set for all clients: an error may come when its
 * request's credentials have been replaced already, or be about those that a role was assumed with.
 */
const known = new Set<string>();
const maxKnown = 32;
/** What is shorter is no secret of AWS's but a "test" for an emulator, and words that have it in them shall stay. */
const minSecretLength = 8;

/** From now on no error of any client tells these. */
export function withholdSecrets({ secretAccessKey, sessionToken }: Credentials): void {
  for (const secret of [secretAccessKey, sessionToken]) {
    if (secret === undefined || secret.length < minSecretLength) continue;
    known.delete(secret);
    known.add(secret);
  }
  for (const oldest of known) {
    if (known.size <= maxKnown) break;
    known.delete(oldest);
  }
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
    for (const secret of known) error.message = error.message.replaceAll(secret, withheld);
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
