/** From seeds to the changes that put their keys and aliases into the store. */
import { type KeyMaterialSource, storeMaterial } from "../crypto/key-material.ts";
import { factsOf, type KeySpec, type KeyUsage } from "../crypto/key-spec.ts";
import { isAccountId, isKeyId, isRegionName } from "../identifiers.ts";
import { parsePolicy } from "../policy/document.ts";
import type { Random } from "../random.ts";
import { type AliasRecord, dayMs, type KeyRecord, type Mutation } from "../state/records.ts";
import { bad } from "./read-seeds.ts";
import type { SeedAlias, SeedKey, Seeds } from "./seed-file.ts";
import { materialOf } from "./seed-material.ts";

/** What seeds are planted with. */
export interface Ground {
  readonly account: string;
  readonly region: string;
  readonly nowMs: number;
  readonly random: Random;
  readonly materials: KeyMaterialSource;
}

function usageOf({ keyUsage }: SeedKey, spec: KeySpec, where: string): KeyUsage {
  const { family, usages } = factsOf(spec);
  const preferred = family === "rsa" || family === "ec" ? "SIGN_VERIFY" : (usages[0] ?? "SIGN_VERIFY");
  const wanted = keyUsage ?? preferred;
  const usage = usages.find((known) => known === wanted);
  if (usage !== undefined) return usage;
  throw bad(`${where}.keyUsage`, `${spec} has no ${wanted}; it has ${usages.join(", ")}`);
}

function keyIdOf(seed: SeedKey, where: string, random: Random): string {
  const { keyId, multiRegion = keyId?.startsWith("mrk-") ?? false } = seed;
  if (keyId === undefined) return multiRegion ? `mrk-${random.hex(16)}` : random.uuid();
  if (isKeyId(keyId) && keyId.startsWith("mrk-") === multiRegion) return keyId;
  const form = multiRegion
    ? "mrk- and 32 hex digits, as it is multi-Region"
    : "a UUID in lower case, or mrk- and 32 hex digits";
  throw bad(`${where}.keyId`, `${JSON.stringify(keyId)} must be ${form}`);
}

function policyOf({ policy }: SeedKey, where: string): string | undefined {
  if (policy === undefined) return undefined;
  const text = typeof policy === "string" ? policy : JSON.stringify(policy);
  try {
    parsePolicy(text);
  } catch (cause) {
    throw bad(`${where}.policy`, (cause as Error).message, cause);
  }
  return text;
}

function placeOf(seed: SeedKey, where: string, ground: Ground): Pick<KeyRecord, "account" | "region"> {
  const { account = ground.account, region = ground.region } = seed;
  if (!isAccountId(account)) throw bad(`${where}.account`, `${JSON.stringify(account)} is not 12 digits`);
  if (!isRegionName(region)) throw bad(`${where}.region`, `${JSON.stringify(region)} is not the name of a Region`);
  return { account, region };
}

function tagsOf({ tags = {} }: SeedKey, where: string): KeyRecord["tags"] {
  return Object.entries(tags).map(([key, value]) => {
    const isFit = key.length >= 1 && key.length <= 128 && value.length <= 256 && !/^aws:/i.test(key);
    if (isFit) return { key, value };
    throw bad(
      `${where}.tags`,
      `${JSON.stringify(key)} cannot be a tag: keys have 1 to 128 characters and no aws: in front, values up to 256`,
    );
  });
}

function deletionOf({ state, pendingWindowInDays = 30 }: SeedKey, nowMs: number) {
  if (state === "PendingDeletion") return { dueAtMs: nowMs + pendingWindowInDays * dayMs, pendingWindowInDays };
  return {};
}

/** The key of a seed, and all that goes with it but its aliases. */
function keyChanges(seed: SeedKey, where: string, ground: Ground): { key: KeyRecord; changes: Mutation[] } {
  const { nowMs, random, materials } = ground;
  if (seed.pendingWindowInDays !== undefined && seed.state !== "PendingDeletion") {
    throw bad(`${where}.pendingWindowInDays`, "is only for the state PendingDeletion");
  }
  const material = materialOf(seed, where, random, materials);
  const keyId = keyIdOf(seed, where, random);
  const policy = policyOf(seed, where);
  const tags = tagsOf(seed, where);
  const key: KeyRecord = {
    ...placeOf(seed, where, ground),
    keyId,
    createdAtMs: nowMs - (seed.ageDays ?? 0) * dayMs,
    description: seed.description ?? "",
    spec: material.spec,
    usage: usageOf(seed, material.spec, where),
    keyManager: "CUSTOMER",
    state: seed.state ?? "Enabled",
    ...deletionOf(seed, nowMs),
    isMultiRegion: keyId.startsWith("mrk-"),
    materialId: material.id,
    ...(policy === undefined ? {} : { policy }),
    tags,
    wasTagged: tags.length > 0,
  };
  const { account, region } = key;
  const changes: Mutation[] = [{ kind: "put-material", material: storeMaterial(material) }];
  if (key.isMultiRegion)
    changes.push({ kind: "put-set", set: { account, keyId, primaryRegion: region, replicaRegions: [] } });
  return { key, changes: [...changes, { kind: "put-key", key }] };
}

const aliasPattern = /^alias\/[a-zA-Z0-9/_-]{1,250}$/;

function aliasOf(seed: string | SeedAlias, where: string, key: KeyRecord, nowMs: number): AliasRecord {
  const { name, ageDays, updatedDaysAgo }: SeedAlias = typeof seed === "string" ? { name: seed } : seed;
  if (!aliasPattern.test(name) || name.startsWith("alias/aws/")) {
    throw bad(
      where,
      `${JSON.stringify(name)} must be alias/ and letters, digits, / _ or -, and not begin with alias/aws/`,
    );
  }
  const createdAtMs = ageDays === undefined ? key.createdAtMs : nowMs - ageDays * dayMs;
  const updatedAtMs = updatedDaysAgo === undefined ? createdAtMs : nowMs - updatedDaysAgo * dayMs;
  if (createdAtMs < key.createdAtMs)
    throw bad(where, `is older than its key: give the key an ageDays of ${ageDays} or more`);
  if (updatedAtMs < createdAtMs) throw bad(where, "was updated before it was made: updatedDaysAgo is above ageDays");
  return { account: key.account, region: key.region, name, keyId: key.keyId, createdAtMs, updatedAtMs };
}

/** Throws EmulatorError INVALID_SEEDS that says which member of which key cannot be. */
export function plant({ keys }: Seeds, ground: Ground): readonly Mutation[] {
  const taken = new Set<string>();
  const requireFree = (what: string, where: string) => {
    if (taken.has(what)) throw bad(where, `${what.split(" ").at(-1)} is there twice`);
    taken.add(what);
  };
  return keys.flatMap((seed, index) => {
    const where = `keys[${index}]`;
    const { key, changes } = keyChanges(seed, where, ground);
    requireFree(`${key.account} ${key.region} ${key.keyId}`, `${where}.keyId`);
    const aliases = (seed.aliases ?? []).map((alias, at): Mutation => {
      const record = aliasOf(alias, `${where}.aliases[${at}]`, key, ground.nowMs);
      requireFree(`${key.account} ${key.region} ${record.name}`, `${where}.aliases[${at}]`);
      return { kind: "put-alias", alias: record };
    });
    return [...changes, ...aliases];
  });
}
