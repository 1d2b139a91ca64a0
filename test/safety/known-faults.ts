/** Rules as they were, or might be written again: the lives must notice each. */
import type { KeyNames } from "../../src/key-manager/names.ts";
import type { Clock, KmsClient, Page } from "../../src/key-manager/ports.ts";
import type { Seams, Settings } from "../simulation/simulated-server.ts";

/** A client of which some calls are different. */
const changed = (change: (kms: KmsClient, clock: Clock) => Partial<KmsClient>): Seams => ({
  kms: (kms, clock) => {
    const changes = change(kms, clock);
    return new Proxy(kms, {
      get(target, name) {
        const instead = Reflect.get(changes, name);
        if (instead !== undefined) return instead;
        const member: unknown = Reflect.get(target, name);
        return typeof member === "function" ? member.bind(target) : member;
      },
    });
  },
});

async function* eachPage<T>(
  pages: AsyncIterable<Page<T>>,
  change: (page: Page<T>) => Page<T>,
): AsyncGenerator<Page<T>> {
  for await (const page of pages) yield change(page);
}

const withNames = (change: (names: KeyNames) => Partial<KeyNames>): Seams => ({
  preparation: (preparation) => ({ ...preparation, names: { ...preparation.names, ...change(preparation.names) } }),
});

/** The rule does not see aliases that are not SPIRE's. */
const blindForForeignAliases = changed((kms) => ({
  listAliases: (keyId, options) =>
    eachPage(kms.listAliases(keyId, options), (page) => ({
      ...page,
      items: page.items.filter(({ aliasName }) => aliasName.startsWith("alias/SPIRE_SERVER/")),
    })),
}));

/** Ages by this machine's clock, as the built-in tells them. */
const trustsItsClock = changed((kms, clock) => {
  const told = <T>(page: Page<T>): Page<T> => ({ ...page, serverTime: clock.now() });
  return {
    listAliases: (keyId, options) => eachPage(kms.listAliases(keyId, options), told),
    listKeys: (options) => eachPage(kms.listKeys(options), told),
  };
});

/** KMS's record of use is not asked. */
const blindForUse = changed(() => ({ getKeyLastUsage: async () => ({ lastUsedAt: undefined }) as never }));

/** Whatever stands behind our alias is ours. */
const aliasIsProof = withNames(() => ({ trustDomainOf: () => "own", isForeignDescription: () => false }));

/** A key that shows everything as SPIRE makes it. */
const blindForSpecs = changed((kms) => ({
  describeKey: async (keyId, options) => ({ ...(await kms.describeKey(keyId, options)), multiRegion: undefined }),
}));

/** Nothing is ever scheduled. */
const neverDeletes = changed(() => ({
  scheduleKeyDeletion: async () => ({ deletionDate: undefined, requestId: undefined }),
}));

export interface KnownFault {
  readonly fault: string;
  readonly seams?: Seams;
  readonly settings?: Settings;
  /** What the guard says of it. */
  readonly shows: RegExp;
  /** The life that showed it when this was written: looked at first, to save time. */
  readonly near?: number;
}

export const knownFaults: readonly KnownFault[] = [
  { fault: "a rule that ignores foreign aliases", seams: blindForForeignAliases, shows: /: alias\/\S+ stands on it$/ },
  { fault: "a rule that trusts this machine's clock", seams: trustsItsClock, shows: /min off$|uses it$/ },
  { fault: "no second look", settings: { prune_confirm_delay: "0s" }, shows: /its first look was a moment ago$/ },
  { fault: "no look at KMS's record of use", seams: blindForUse, shows: /: it signed -?\d+ min ago$/, near: 34 },
  { fault: "the alias as the only proof", seams: aliasIsProof, shows: /: its description is / },
  { fault: "replicas that are not seen", seams: blindForSpecs, shows: /: it has a replica$/, near: 123 },
  {
    fault: "deletions that are not done",
    seams: neverDeletes,
    shows: /^\S+ in the end the orphan \S+ .* is not pruned$/,
  },
];
