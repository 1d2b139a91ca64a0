/** Types of `./plugin-sdk` as a plugin author meets them. Compiled, never run. */
import {
  type BackgroundPlugin,
  type CallContext,
  type FailureCode,
  KeyManager,
  KeyType,
  type PluginIdentity,
  type PublicKey,
  type ServiceHandlers,
  type ServiceRegistration,
  StatusError,
  serveInBackground,
  servePlugin,
  service,
} from "../../src/plugin-sdk/index.ts";
import type { Equal, Expect } from "./equal.ts";

// A handler gets the parsed request and the call's context; answers may leave out what is empty.
const handlers: ServiceHandlers<typeof KeyManager> = {
  generateKey: ({ keyId, keyType }, context) => {
    type Request = [Expect<Equal<typeof keyId, string>>, Expect<Equal<typeof keyType, KeyType>>];
    type Context = Expect<Equal<typeof context, CallContext>>;
    const types: [Request, Context] = [[true, true], true];
    return types ? { publicKey: { id: keyId, type: KeyType.EC_P256 } } : {};
  },
  getPublicKey: async () => ({}),
  getPublicKeys: () => ({ publicKeys: [] }),
  signData: ({ data }) => ({ signature: data }),
};
const registration: ServiceRegistration = service(KeyManager, handlers);
service(KeyManager, async () => handlers);

// @ts-expect-error every method of a service has a handler
service(KeyManager, { getPublicKeys: () => ({}) });
// @ts-expect-error no handler for a method that the service does not have
service(KeyManager, { ...handlers, destroyKey: () => ({}) });
// @ts-expect-error an answer of another shape
service(KeyManager, { ...handlers, getPublicKey: () => ({ publicKey: "a" }) });

export type Codes = Expect<Equal<Extract<FailureCode, "OK">, never>>;
new StatusError("NOT_FOUND", 'key "a" not found');
// @ts-expect-error success is no failure
new StatusError("OK", "fine");
// @ts-expect-error not a gRPC status
new StatusError("MISSING", "key");

const identity: PluginIdentity = { type: "KeyManager", name: "mine", version: "1.0.0", description: "…" };
export const served = (): Promise<void> => servePlugin({ ...identity, services: [registration] });
export const loaded = (): Promise<void> => servePlugin({ ...identity, load: () => ({ services: [registration] }) });
// @ts-expect-error services, or a function that loads them
export const neither = (): Promise<void> => servePlugin(identity);

// A test's client has the service's methods, and their answers.
export async function keyOf(plugin: BackgroundPlugin): Promise<PublicKey | undefined> {
  const client = plugin.client(KeyManager);
  const { publicKey } = await client.getPublicKey({ keyId: "a" });
  // @ts-expect-error no such field
  await client.getPublicKey({ id: "a" });
  return publicKey;
}
export const inBackground = (): Promise<BackgroundPlugin> => serveInBackground({ services: [registration] });
