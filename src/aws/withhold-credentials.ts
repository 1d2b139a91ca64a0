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
 * Takes the client's own secret and session token out of the message of every error it throws: AWS's signature errors
 * quote the whole request, and so may whatever stands between AWS and us.
 */
export function withholdCredentials(client: SigningClient): void {
  const clean = async (error: unknown): Promise<void> => {
    // Where none could be found none can have been told, and looking for them again would take its time.
    if (!(error instanceof Error) || /^(KmsError|(Credentials|Token)ProviderError)$/.test(error.name)) return;
    const credentials = await client.config.credentials().catch(() => undefined);
    for (const secret of [credentials?.secretAccessKey, credentials?.sessionToken]) {
      if (secret) error.message = error.message.replaceAll(secret, withheld);
    }
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
