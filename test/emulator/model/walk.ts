/** A random walk through the operations: every step is done to the emulator and to the model, and the two must agree. */
import assert from "node:assert/strict";
import type { EmulatorControl } from "../../../src/kms-emulator/index.ts";
import { checkState, Expected, type Model, type ModelKey, transitionMs } from "./model.ts";
import { SecretSteps } from "./secret-steps.ts";
import { account, dayMs, regions, Steps, type WalkRandom } from "./steps.ts";

const specs = [
  ["ECC_NIST_P256", "SIGN_VERIFY"],
  ["ECC_NIST_P256", "KEY_AGREEMENT"],
  ["RSA_2048", "SIGN_VERIFY"],
  ["RSA_2048", "ENCRYPT_DECRYPT"],
  ["SYMMETRIC_DEFAULT", "ENCRYPT_DECRYPT"],
  ["HMAC_256", "GENERATE_VERIFY_MAC"],
] as const;

const aliasNames = Array.from({ length: 30 }, (_, index) => `alias/n${index}`);
const tagNames = ["a", "b", "c", "d", "e", "f", "A"];
/** One random walk. */
export class Walk {
  readonly #random: WalkRandom;
  readonly #model: Model;
  readonly #control: EmulatorControl;
  readonly #steps: Steps;
  readonly #secrets: SecretSteps;

  constructor(random: WalkRandom, model: Model, control: EmulatorControl) {
    this.#random = random;
    this.#model = model;
    this.#control = control;
    this.#steps = new Steps(random, model, control);
    this.#secrets = new SecretSteps(this.#steps);
  }

  /** The calls so far. */
  get trace(): string[] {
    return this.#steps.trace;
  }

  async step(): Promise<void> {
    const { below, pick } = this.#random;
    const region = pick(regions);
    const actions: readonly (readonly [number, () => Promise<void>])[] = [
      [this.#model.keys.length < 60 ? 10 : 1, () => this.#createKey(region)],
      [8, () => this.#createAlias(region)],
      [8, () => this.#updateAlias(region)],
      [4, () => this.#deleteAlias(region)],
      [4, () => this.#schedule(region)],
      [3, () => this.#onKey("CancelKeyDeletion", region, (id) => this.#model.cancel(region, id))],
      [3, () => this.#switch("EnableKey", region, "Enabled")],
      [3, () => this.#switch("DisableKey", region, "Disabled")],
      [4, () => this.#describe(region)],
      [4, () => this.#describeAlias(region)],
      [5, () => this.#sign(region)],
      [4, () => this.#tag(region)],
      [2, () => this.#untag(region)],
      [2, () => this.#updateDescription(region)],
      [4, () => this.#replicate(region)],
      [3, () => this.#updatePrimary(region)],
      [3, () => this.#listKeys(region)],
      [3, () => this.#listAliases(region)],
      [2, () => this.#listAliasesOfKey(region)],
      [2, () => this.#getResources(region)],
      [3, () => this.#advance()],
      ...this.#secrets.actions(region),
      [0.05, () => this.#reload()],
    ];
    const total = actions.reduce((sum, [weight]) => sum + weight, 0);
    let at = (below(1_000_000) / 1_000_000) * total;
    for (const [weight, action] of actions) {
      at -= weight;
      if (at < 0) return action();
    }
  }

  async #onKey(operation: string, region: string, expect: (id: string) => void, input: object = {}): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    await this.#steps.both(operation, region, { KeyId: text, ...input }, () => expect(id));
  }

  #switch(operation: string, region: string, state: "Enabled" | "Disabled"): Promise<void> {
    return this.#onKey(operation, region, (id) =>
      this.#model.change(operation, region, id, (key) => {
        key.state = state;
        if (state === "Enabled") this.#model.rotateIfDue(key);
      }),
    );
  }

  async #createKey(region: string): Promise<void> {
    const { below, pick } = this.#random;
    const [spec, usage] = pick(specs);
    const isExternal = spec === "SYMMETRIC_DEFAULT" && below(3) === 0;
    const isMultiRegion = !isExternal && below(3) === 0;
    const tags = new Map(tagNames.slice(0, below(4)).map((name) => [name, String(below(3))]));
    const Tags = [...tags].map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    const Origin = isExternal ? "EXTERNAL" : "AWS_KMS";
    const given = { KeySpec: spec, KeyUsage: usage, MultiRegion: isMultiRegion, Origin };
    const input = { ...given, Description: `d${below(5)}`, Tags };
    this.trace.push(`CreateKey ${region} ${JSON.stringify(input)}`);
    const output = await this.#steps.call("CreateKey", input, region);
    const id = (output as { KeyMetadata: { KeyId: string } }).KeyMetadata.KeyId;
    const key = { id, region, spec, usage, isMultiRegion, isExternal, hasMaterial: !isExternal };
    this.#model.add({ ...key, description: input.Description, tags }, isExternal ? "PendingImport" : "Enabled");
  }

  async #createAlias(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const AliasName = this.#random.pick(aliasNames);
    await this.#steps.both("CreateAlias", region, { AliasName, TargetKeyId: text }, () =>
      this.#model.createAlias(region, AliasName, id),
    );
  }

  async #updateAlias(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const AliasName = this.#random.pick(aliasNames);
    await this.#steps.both("UpdateAlias", region, { AliasName, TargetKeyId: text }, () =>
      this.#model.updateAlias(region, AliasName, id),
    );
  }

  async #deleteAlias(region: string): Promise<void> {
    const AliasName = this.#random.pick(aliasNames);
    await this.#steps.both("DeleteAlias", region, { AliasName }, () => this.#model.deleteAlias(region, AliasName));
  }

  #schedule(region: string): Promise<void> {
    const PendingWindowInDays = 7 + this.#random.below(24);
    return this.#onKey("ScheduleKeyDeletion", region, (id) => this.#model.schedule(region, id, PendingWindowInDays), {
      PendingWindowInDays,
    });
  }

  #checkMetadata(output: unknown, key: ModelKey): void {
    const metadata = (output as { KeyMetadata: Record<string, unknown> }).KeyMetadata;
    const primary = this.#model.primaries.get(key.id);
    const set = metadata.MultiRegionConfiguration as
      | { MultiRegionKeyType: string; ReplicaKeys: { Region: string }[] }
      | undefined;
    const actual = {
      state: metadata.KeyState,
      enabled: metadata.Enabled,
      description: metadata.Description,
      created: (metadata.CreationDate as Date).getTime(),
      deletion: (metadata.DeletionDate as Date | undefined)?.getTime(),
      window: metadata.PendingDeletionWindowInDays,
      type: set?.MultiRegionKeyType,
      replicas: set?.ReplicaKeys.map((replica) => replica.Region).sort(),
    };
    assert.deepEqual(actual, {
      state: key.state,
      enabled: key.state === "Enabled",
      description: key.description,
      created: key.createdMs,
      deletion: key.state === "PendingDeletion" ? key.dueMs : undefined,
      window: key.state === "PendingReplicaDeletion" ? key.windowDays : undefined,
      type: key.isMultiRegion ? (primary === key.region ? "PRIMARY" : "REPLICA") : undefined,
      replicas: key.isMultiRegion
        ? this.#model
            .replicasOf(key.id)
            .map((replica) => replica.region)
            .sort()
        : undefined,
    });
  }

  async #describe(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const both = await this.#steps.both("DescribeKey", region, { KeyId: text }, () => this.#model.require(region, id));
    if (both) this.#checkMetadata(both.output, both.expected);
  }

  async #describeAlias(region: string): Promise<void> {
    const name = this.#random.pick(aliasNames);
    const both = await this.#steps.both("DescribeKey", region, { KeyId: name }, () =>
      this.#model.require(region, this.#model.alias(region, name)?.keyId ?? ""),
    );
    if (both) this.#checkMetadata(both.output, both.expected);
  }

  async #sign(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const input = {
      KeyId: text,
      Message: new Uint8Array(32),
      MessageType: "DIGEST",
      SigningAlgorithm: "ECDSA_SHA_256",
    };
    const both = await this.#steps.both("Sign", region, input, () => {
      const key = this.#model.require(region, id);
      checkState("Sign", key);
      if (key.usage !== "SIGN_VERIFY" || !key.spec.startsWith("ECC")) throw new Expected("InvalidKeyUsageException");
      return key;
    });
    if (!both) return;
    const { Signature } = both.output as { Signature: Uint8Array };
    // Every member of a multi-Region set verifies it, whatever Region signed.
    const usable = this.#model.keys.filter((key) => key.id === id && ["Enabled", "Updating"].includes(key.state));
    for (const key of usable) {
      const verified = await this.#steps.call("Verify", { ...input, KeyId: id, Signature }, key.region);
      assert.equal((verified as { SignatureValid: boolean }).SignatureValid, true);
    }
  }

  #tag(region: string): Promise<void> {
    const { below, pick } = this.#random;
    const tags = Array.from({ length: below(4) }, (): [string, string] => [pick(tagNames), String(below(3))]);
    const Tags = tags.map(([TagKey, TagValue]) => ({ TagKey, TagValue }));
    return this.#onKey("TagResource", region, (id) => this.#model.tag(region, id, tags), { Tags });
  }

  #untag(region: string): Promise<void> {
    const name = this.#random.pick(tagNames);
    return this.#onKey(
      "UntagResource",
      region,
      (id) =>
        this.#model.change("UntagResource", region, id, (key) => {
          key.tags.delete(name);
        }),
      { TagKeys: [name] },
    );
  }

  #updateDescription(region: string): Promise<void> {
    const Description = `new ${this.#random.below(100)}`;
    return this.#onKey(
      "UpdateKeyDescription",
      region,
      (id) =>
        this.#model.change("UpdateKeyDescription", region, id, (key) => {
          key.description = Description;
        }),
      { Description },
    );
  }

  #replicate(region: string): Promise<void> {
    const where = this.#random.pick(regions);
    return this.#onKey("ReplicateKey", region, (id) => this.#model.replicate(region, id, where), {
      ReplicaRegion: where,
    });
  }

  #updatePrimary(region: string): Promise<void> {
    const where = this.#random.pick(regions);
    const input = { PrimaryRegion: where };
    return this.#onKey("UpdatePrimaryRegion", region, (id) => this.#model.updatePrimary(region, id, where), input);
  }

  /** All pages of a listing, with a random page size. */
  async #pages<T>(operation: string, region: string, member: string, input: object = {}): Promise<T[]> {
    const Limit = 1 + this.#random.below(9);
    this.trace.push(`${operation} ${region} pages of ${Limit}`);
    const items: T[] = [];
    for (let Marker: string | undefined; ; ) {
      const page = (await this.#steps.call(operation, { ...input, Limit, Marker }, region)) as Record<string, unknown>;
      items.push(...(page[member] as T[]));
      assert.ok((page[member] as T[]).length <= Limit);
      assert.equal(page.Truncated, page.NextMarker !== undefined);
      Marker = page.NextMarker as string | undefined;
      if (Marker === undefined) return items;
    }
  }

  async #listKeys(region: string): Promise<void> {
    const listed = await this.#pages<{ KeyId: string }>("ListKeys", region, "Keys");
    const expected = this.#model.keys.filter((key) => key.region === region).map((key) => key.id);
    assert.deepEqual(listed.map((key) => key.KeyId).sort(), expected.sort());
  }

  #checkAliases(
    listed: readonly Record<string, unknown>[],
    expected: readonly { name: string; keyId: string; createdMs: number; updatedMs: number }[],
  ) {
    const actual = listed.map((alias) => [
      alias.AliasName,
      alias.TargetKeyId,
      (alias.CreationDate as Date).getTime(),
      (alias.LastUpdatedDate as Date).getTime(),
    ]);
    const wanted = expected.map((alias) => [alias.name, alias.keyId, alias.createdMs, alias.updatedMs]);
    const byName = (left: unknown[], right: unknown[]) => String(left[0]).localeCompare(String(right[0]));
    assert.deepEqual(actual.sort(byName), wanted.sort(byName));
  }

  async #listAliases(region: string): Promise<void> {
    const listed = await this.#pages<Record<string, unknown>>("ListAliases", region, "Aliases");
    this.#checkAliases(
      listed,
      this.#model.aliases.filter((alias) => alias.region === region),
    );
  }

  async #listAliasesOfKey(region: string): Promise<void> {
    const { id, text } = this.#steps.someKey(region);
    const both = await this.#steps.both("ListAliases", region, { KeyId: text }, () => this.#model.require(region, id));
    if (!both) return;
    const { Aliases } = both.output as { Aliases: Record<string, unknown>[] };
    this.#checkAliases(Aliases, this.#model.aliasesOf(region, id));
  }

  async #getResources(region: string): Promise<void> {
    const { below, pick } = this.#random;
    const [Key, value] = [pick(tagNames), String(below(3))];
    const TagFilters = [{ Key, ...(below(2) === 0 ? { Values: [value] } : {}) }];
    const output = await this.#steps.call("GetResources", { TagFilters, ResourcesPerPage: 100 }, region);
    const { ResourceTagMappingList } = output as {
      ResourceTagMappingList: { ResourceARN: string; Tags: { Key: string; Value: string }[] }[];
    };
    const isMatch = (key: ModelKey) => {
      const actual = key.tags.get(Key);
      return actual !== undefined && (TagFilters[0]?.Values === undefined || actual === value);
    };
    const expected = this.#model.keys
      .filter((key) => key.region === region && isMatch(key))
      .map((key) => [`arn:aws:kms:${region}:${account}:key/${key.id}`, Object.fromEntries(key.tags)]);
    const actual = ResourceTagMappingList.map(({ ResourceARN, Tags }) => [
      ResourceARN,
      Object.fromEntries(Tags.map((tag) => [tag.Key, tag.Value])),
    ]);
    const byArn = (left: unknown[], right: unknown[]) => String(left[0]).localeCompare(String(right[0]));
    assert.deepEqual(actual.sort(byArn), expected.sort(byArn));
  }

  async #advance(): Promise<void> {
    const { below, pick } = this.#random;
    const ms = pick([1, transitionMs - 1, transitionMs, below(dayMs), dayMs * below(12)]);
    this.trace.push(`advance ${ms}`);
    this.#control.advance(ms);
    this.#model.advance(ms);
  }

  async #reload(): Promise<void> {
    this.trace.push("dump and load");
    this.#control.load(JSON.parse(JSON.stringify(this.#control.dump())) as unknown);
  }
}
