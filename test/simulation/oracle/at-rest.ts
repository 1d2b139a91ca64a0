/** What must be true of an account once it has been quiet for long enough: asked of KMS itself. */
import { describeKey, keysOf, type Metadata } from "../operator.ts";
import type { SimulatedServer } from "../simulated-server.ts";
import { serverBehind } from "./books.ts";
import type { KeyFacts } from "./custody.ts";
import type { Guard } from "./guard.ts";
import { aliasNameOf, isAliasOfTrustDomain, isTwins, ownerByDescription } from "./spelling.ts";

export async function checkAtRest(guard: Guard): Promise<void> {
  const live = guard.usage.live;
  const held = new Set<string>();
  for (const server of live) {
    guard.usage.note(server);
    for (const { id, keyId } of guard.usage.heldBy(server)) {
      held.add(keyId);
      await checkAlias(guard, server, id, keyId);
    }
  }
  const trustDomains = new Set(live.map(({ options }) => options.trustDomain));
  for (const key of await keysOf(guard.account)) {
    if (key.KeyState !== "Enabled" || held.has(key.KeyId)) continue;
    const orphanOf = [...trustDomains].find((trustDomain) => isOrphan(guard, key, trustDomain));
    if (orphanOf !== undefined) guard.violation(`in the end the orphan ${key.KeyId} of ${orphanOf} is not pruned`);
  }
}

/**
 * A key in use is enabled, and the alias of its id stands on it. Not where that alias has stood on another key that the server
 * cannot use, put there by an operator, or by a server with a copied identity before an operator disabled it: what it uses has no alias then, and may be taken for an orphan (docs/pruning.md, "What it cannot do").
 */
async function checkAlias(guard: Guard, server: SimulatedServer, id: string, keyId: string): Promise<void> {
  const aliasName = aliasNameOf(server.options.trustDomain, server.options.serverId, id);
  const { trustDomain } = server.options;
  for (const key of guard.custody.stoodOn.get(aliasName) ?? []) {
    if (key.keyId !== keyId && wasUseless(key, trustDomain)) return;
  }
  const target = guard.custody.find(aliasName);
  const KeyState = await describeKey(guard.account, keyId).then(
    (key) => key.KeyState,
    () => "no more",
  );
  if (KeyState !== "Enabled") guard.violation(`in the end ${server.identity} uses ${keyId}, which is ${KeyState}`);
  if (target?.keyId !== keyId) {
    guard.violation(
      `in the end ${server.identity} uses ${keyId} for ${id}, and ${aliasName} stands on ${target?.keyId}`,
    );
  }
}

const isUsable = ({ keyUsage, keySpec }: KeyFacts): boolean =>
  keyUsage === "SIGN_VERIFY" && keySpec !== "ECC_SECG_P256K1";

const wasUseless = (key: KeyFacts, trustDomain: string): boolean =>
  !isUsable(key) || key.wasDisabled || [...key.descriptions].some((description) => isTwins(description, trustDomain));

/** Certainly an orphan: by its description, as it was made, and by what stands on it. */
function isOrphan({ custody }: Guard, { KeyId }: Metadata, trustDomain: string): boolean {
  const key = custody.keys.get(KeyId);
  if (key === undefined || ownerByDescription(key.description, trustDomain) !== "own") return false;
  if (!isUsable(key) || key.replicatedSince !== undefined) return false;
  const maker = serverBehind(key.maker);
  if (maker !== undefined && maker.options.trustDomain !== trustDomain) return false;
  const [alias, ...more] = key.aliases.keys();
  return more.length === 0 && (alias === undefined || isAliasOfTrustDomain(alias, trustDomain));
}
