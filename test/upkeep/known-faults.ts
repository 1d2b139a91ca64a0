/**
 * Faults that SPIRE's built-in `aws_kms` has or had, put into our parts where they join: the histories must notice each.
 */

import type { KeyNames } from "../../src/key-manager/names.ts";
import type { Task } from "../../src/key-manager/pace/task.ts";
import type { KmsClient } from "../../src/key-manager/ports.ts";
import { tagNames } from "../../src/key-manager/tags/spire-tags.ts";
import { type UpkeepOptions, upkeepTasks } from "../../src/key-manager/upkeep/upkeep.ts";
import { lookAlikes } from "../simulation/histories/fleet-plan.ts";
import type { Seams } from "../simulation/simulated-server.ts";

/** A client of which some calls are different. */
const changed = (kms: KmsClient, changes: Partial<KmsClient>): KmsClient =>
  new Proxy(kms, {
    get(target, name) {
      const change = Reflect.get(changes, name);
      if (change !== undefined) return change;
      const member: unknown = Reflect.get(target, name);
      return typeof member === "function" ? member.bind(target) : member;
    },
  });

const withNames = (change: (names: KeyNames, own: string) => Partial<KeyNames>): Seams => ({
  preparation: (preparation) => {
    const { names } = preparation;
    // `alias/SPIRE_SERVER/{trust domain}/{server id}/`, told by an alias of its own making
    const own = names.aliasFor("x").slice(0, -"x".length);
    return { ...preparation, names: { ...names, ...change(names, own) } };
  },
});

const segmentPrefix = (own: string): string => own.split("/").slice(0, 3).join("/");

/** Trust domains matched by bare prefix: `example.org` prunes what `example.organic` made. */
const bareTrustDomain = withNames((names, own) => ({
  isTrustDomainAlias: (aliasName) => aliasName.startsWith(segmentPrefix(own)),
  isForeignDescription: () => false,
  trustDomainOf: (description) => (description.startsWith(names.descriptionFor("x")) ? "own" : "foreign"),
}));

/** Trust domains told apart by the alias alone: `a.b` and `a_b` are one. */
const aliasIsProof = withNames(() => ({ isForeignDescription: () => false, trustDomainOf: () => "own" as const }));

/** Server ids matched by bare prefix: `a` takes the aliases of `ab` for its own. */
const bareServerId = withNames((_, own) => ({
  isOwnAlias: (aliasName) => aliasName.startsWith(own.slice(0, -1)),
}));

/** A refresh that puts the alias where the cache says, whatever a replica did (SPIRE issue 6804). */
function blindRefresh({ setup: { ring, kms }, aliasRefreshIntervalMs }: UpkeepOptions): Task {
  return {
    name: "refresh aliases",
    consequence: "",
    intervalMs: aliasRefreshIntervalMs,
    async runOnce() {
      for (const { aliasName, keyArn } of ring.entries.values()) await kms.updateAlias(aliasName, keyArn);
      return {};
    },
  };
}

const replacing = (name: string, make: (options: UpkeepOptions) => Task): Seams => ({
  tasks: (options) => upkeepTasks(options).map((task) => (task.name === name ? make(options) : task)),
});

/** `spire-active=false` only after ScheduleKeyDeletion, when KMS refuses it. */
const lateDeactivation: Seams = {
  kms: (kms) => {
    const held = new Map<string, () => Promise<void>>();
    return changed(kms, {
      async tagResource(keyId, tags, options) {
        const isDeactivation = tags.length === 1 && tags[0]?.key === tagNames.active && tags[0].value === "false";
        if (!isDeactivation) return kms.tagResource(keyId, tags, options);
        held.set(keyId, () => kms.tagResource(keyId, tags, options));
      },
      async scheduleKeyDeletion(keyId, days, options) {
        const scheduled = await kms.scheduleKeyDeletion(keyId, days, options);
        await held
          .get(keyId)?.()
          .catch(() => undefined);
        return scheduled;
      },
    });
  },
};

/** A deletion that fails is forgotten. */
const droppedDeletions: Seams = {
  kms: (kms) =>
    changed(kms, {
      scheduleKeyDeletion: (...given) =>
        kms.scheduleKeyDeletion(...given).catch(() => ({ deletionDate: undefined, requestId: undefined })),
    }),
};

/** A live server in tag mode never cleans up after itself. */
const ownOrphansStay: Seams = {
  tasks: (options) => upkeepTasks({ ...options, staleKeyThresholdMs: Number.POSITIVE_INFINITY }),
};

export interface KnownFault {
  readonly fault: string;
  readonly seams: Seams;
  /** What the ledger says of it. */
  readonly shows: RegExp;
  readonly trustDomains?: readonly [string, string];
}

export const knownFaults: readonly KnownFault[] = [
  {
    fault: "trust domains are matched by bare prefix",
    seams: bareTrustDomain,
    shows:
      /^\S+ example\.org .*(ScheduleKeyDeletion on a key|DeleteAlias of .*) of example\.organic|example\.organic .*'s$/,
  },
  {
    fault: "trust domains are told apart by aliases alone",
    seams: aliasIsProof,
    shows: / a_b .* ScheduleKeyDeletion on a key of a\.b$/,
    trustDomains: lookAlikes.segments,
  },
  {
    fault: "server ids are matched by bare prefix",
    seams: bareServerId,
    shows: / example\.org a UpdateAlias on alias .* of example\.org ab$/,
  },
  {
    fault: "a refresh re-points what a replica rotated",
    seams: replacing("refresh aliases", blindRefresh),
    shows: /was moved back to|uses .* while .* stands on/,
  },
  {
    fault: "tags are deactivated after the deletion is scheduled",
    seams: lateDeactivation,
    shows: /while it is marked active/,
  },
  {
    fault: "deletions that fail are dropped",
    seams: droppedDeletions,
    shows: /replaced key .* stays|is not pruned/,
  },
  {
    fault: "orphans of the server itself stay",
    seams: ownOrphansStay,
    shows: /without alias is not pruned/,
  },
];
