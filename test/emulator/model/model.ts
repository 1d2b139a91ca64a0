/**
 * A deliberately simple picture of KMS, written from docs/aws-kms-behaviour.md: lists, linear searches, no sharing of code
 * with the emulator. It says, for one operation, which exception to expect or what state there is afterwards.
 */
export type State =
  | "Enabled"
  | "Disabled"
  | "PendingDeletion"
  | "PendingReplicaDeletion"
  | "PendingImport"
  | "Creating"
  | "Updating";

export interface ModelKey {
  readonly id: string;
  readonly region: string;
  readonly spec: string;
  readonly usage: string;
  readonly isMultiRegion: boolean;
  /** Its material is imported, and there or not. */
  readonly isExternal: boolean;
  hasMaterial: boolean;
  readonly createdMs: number;
  description: string;
  state: State;
  dueMs: number;
  windowDays: number;
  tags: Map<string, string>;
  wasTagged: boolean;
}

/** How the members of a set, or a single key, are rotated. */
export interface ModelRotation {
  periodDays: number;
  /** Infinity: not by itself. */
  nextMs: number;
  /** Its day has come while the key was not enabled. */
  isWaiting: boolean;
  onDemand: number;
  total: number;
}

export interface ModelAlias {
  readonly region: string;
  readonly name: string;
  keyId: string;
  readonly createdMs: number;
  updatedMs: number;
}

const dayMs = 86_400_000;
const never = Number.POSITIVE_INFINITY;
export const transitionMs = 2000;
export const aliasesPerKey = 4;
export const tagsPerKey = 5;
export const onDemandRotationsPerKey = 3;

/** The name of the exception to expect; thrown by the model. */
export class Expected extends Error {
  constructor(name: string) {
    super(name);
    this.name = name;
  }
}

const refuse = (name: string): never => {
  throw new Expected(name);
};

/** Operations that need a key in use; those on grants and rotation keep to the same states. */
const cryptographic = [
  "Sign",
  "GetPublicKey",
  "Encrypt",
  "Decrypt",
  "ReEncrypt",
  "GenerateDataKey",
  "GenerateMac",
  "VerifyMac",
  "DeriveSharedSecret",
  "CreateGrant",
  "EnableKeyRotation",
  "DisableKeyRotation",
  "RotateKeyOnDemand",
];

/** docs/aws-kms-behaviour.md, "Key states", as sentences. */
export function checkState(operation: string, { state }: ModelKey): void {
  const isPending = state === "PendingDeletion" || state === "PendingReplicaDeletion";
  if (operation === "CancelKeyDeletion") {
    if (!isPending) refuse("KMSInvalidStateException");
    return;
  }
  if (isPending && operation === "DeleteImportedKeyMaterial") return;
  if (isPending) refuse("KMSInvalidStateException");
  const isCrypto = cryptographic.includes(operation);
  const isMultiRegion = ["ReplicateKey", "UpdatePrimaryRegion"].includes(operation);
  if (state === "Disabled" && (isCrypto || isMultiRegion)) refuse("DisabledException");
  const isSwitch = ["EnableKey", "DisableKey"].includes(operation);
  if (state === "Creating" && (isCrypto || isMultiRegion || isSwitch)) refuse("KMSInvalidStateException");
  const waitsForUpdate = isSwitch || ["ReplicateKey", "ScheduleKeyDeletion", "RotateKeyOnDemand"].includes(operation);
  if (state === "Updating" && waitsForUpdate) refuse("KMSInvalidStateException");
  if (state === "PendingImport" && (isCrypto || isMultiRegion || isSwitch)) refuse("KMSInvalidStateException");
}

export class Model {
  nowMs: number;
  keys: ModelKey[] = [];
  aliases: ModelAlias[] = [];
  /** Primary Region by key id. */
  readonly primaries = new Map<string, string>();
  /** By key id. */
  readonly rotations = new Map<string, ModelRotation>();

  constructor(nowMs: number) {
    this.nowMs = nowMs;
  }

  find(region: string, id: string): ModelKey | undefined {
    return this.keys.find((key) => key.region === region && key.id === id);
  }

  require(region: string, id: string): ModelKey {
    return this.find(region, id) ?? refuse("NotFoundException");
  }

  alias(region: string, name: string): ModelAlias | undefined {
    return this.aliases.find((alias) => alias.region === region && alias.name === name);
  }

  aliasesOf(region: string, keyId: string): ModelAlias[] {
    return this.aliases.filter((alias) => alias.region === region && alias.keyId === keyId);
  }

  replicasOf(id: string): ModelKey[] {
    return this.keys.filter((key) => key.id === id && key.region !== this.primaries.get(id));
  }

  add(
    key: Omit<ModelKey, "state" | "dueMs" | "windowDays" | "createdMs" | "wasTagged">,
    state: State = "Enabled",
  ): void {
    const dueMs = state === "Creating" ? this.nowMs + transitionMs : never;
    this.keys.push({ ...key, state, dueMs, windowDays: 0, createdMs: this.nowMs, wasTagged: key.tags.size > 0 });
    if (key.isMultiRegion && !this.primaries.has(key.id)) this.primaries.set(key.id, key.region);
  }

  advance(ms: number): void {
    this.nowMs += ms;
    for (;;) {
      if (this.#rotateNext()) continue;
      const due = this.keys.filter((key) => key.dueMs <= this.nowMs).sort((left, right) => left.dueMs - right.dueMs)[0];
      if (!due) return;
      const atMs = due.dueMs;
      due.dueMs = never;
      if (due.state === "PendingDeletion") this.#remove(due, atMs);
      else due.state = "Enabled";
    }
  }

  rotationOf(id: string): ModelRotation {
    const known = this.rotations.get(id);
    if (known) return known;
    const made = { periodDays: 0, nextMs: never, isWaiting: false, onDemand: 0, total: 0 };
    this.rotations.set(id, made);
    return made;
  }

  /** True if a rotation was due before anything else: it is done, or waits for the key to be enabled. */
  #rotateNext(): boolean {
    const nextKeyMs = Math.min(never, ...this.keys.map(({ dueMs }) => dueMs));
    const due = [...this.rotations].find(
      ([, rotation]) => !rotation.isWaiting && rotation.nextMs <= Math.min(this.nowMs, nextKeyMs),
    );
    if (!due) return false;
    const [id, rotation] = due;
    const primary = this.keys.find((key) => key.id === id && this.isPrimary(key));
    if (primary?.state === "Enabled" || primary?.state === "Updating") this.#rotateAt(rotation, rotation.nextMs);
    else rotation.isWaiting = true;
    return true;
  }

  #rotateAt(rotation: ModelRotation, atMs: number): void {
    rotation.total += 1;
    rotation.isWaiting = false;
    rotation.nextMs = atMs + rotation.periodDays * dayMs;
  }

  /** A key that is enabled again catches up. */
  rotateIfDue(key: ModelKey): void {
    const rotation = this.rotations.get(key.id);
    if (rotation && this.isPrimary(key) && rotation.nextMs <= this.nowMs) this.#rotateAt(rotation, this.nowMs);
  }

  /** A single-Region key is its own primary. */
  isPrimary(key: ModelKey): boolean {
    return !key.isMultiRegion || this.primaries.get(key.id) === key.region;
  }

  #remove(key: ModelKey, atMs: number): void {
    this.keys = this.keys.filter((other) => other !== key);
    this.aliases = this.aliases.filter((alias) => alias.region !== key.region || alias.keyId !== key.id);
    const primary = this.find(this.primaries.get(key.id) ?? "", key.id);
    if (primary?.state === "PendingReplicaDeletion" && this.replicasOf(key.id).length === 0) {
      primary.state = "PendingDeletion";
      primary.dueMs = atMs + primary.windowDays * dayMs;
    }
  }

  change(operation: string, region: string, id: string, change: (key: ModelKey) => void): void {
    const key = this.require(region, id);
    checkState(operation, key);
    change(key);
  }

  schedule(region: string, id: string, days: number): void {
    this.change("ScheduleKeyDeletion", region, id, (key) => {
      const isWaiting = this.primaries.get(id) === region && this.replicasOf(id).length > 0;
      key.state = isWaiting ? "PendingReplicaDeletion" : "PendingDeletion";
      key.dueMs = isWaiting ? never : this.nowMs + days * dayMs;
      key.windowDays = days;
    });
  }

  cancel(region: string, id: string): void {
    this.change("CancelKeyDeletion", region, id, (key) => {
      key.state = key.hasMaterial ? "Disabled" : "PendingImport";
      key.dueMs = never;
    });
  }

  createAlias(region: string, name: string, id: string): void {
    const key = this.require(region, id);
    checkState("CreateAlias", key);
    if (this.alias(region, name)) refuse("AlreadyExistsException");
    if (this.aliasesOf(region, id).length >= aliasesPerKey) refuse("LimitExceededException");
    this.aliases.push({ region, name, keyId: id, createdMs: this.nowMs, updatedMs: this.nowMs });
  }

  updateAlias(region: string, name: string, id: string): void {
    const key = this.require(region, id);
    const alias = this.alias(region, name) ?? refuse("NotFoundException");
    checkState("UpdateAlias", key);
    const before = this.require(region, alias.keyId);
    if (before !== key) {
      const kind = ({ spec }: ModelKey) => (/^(RSA|ECC)/.test(spec) ? "asymmetric" : spec);
      if (kind(before) !== kind(key) || before.usage !== key.usage) refuse("ValidationException");
      if (this.aliasesOf(region, id).length >= aliasesPerKey) refuse("LimitExceededException");
    }
    alias.keyId = id;
    alias.updatedMs = this.nowMs;
  }

  deleteAlias(region: string, name: string): void {
    const alias = this.alias(region, name) ?? refuse("NotFoundException");
    this.aliases = this.aliases.filter((other) => other !== alias);
  }

  tag(region: string, id: string, tags: readonly (readonly [string, string])[]): void {
    if (new Set(tags.map(([name]) => name)).size < tags.length) refuse("TagException");
    this.change("TagResource", region, id, (key) => {
      const merged = new Map([...key.tags, ...tags]);
      if (merged.size > tagsPerKey) refuse("TagException");
      key.tags = merged;
      key.wasTagged ||= tags.length > 0;
    });
  }

  replicate(region: string, id: string, where: string): void {
    const key = this.require(region, id);
    if (this.primaries.get(id) !== region) refuse("UnsupportedOperationException");
    checkState("ReplicateKey", key);
    if (this.find(where, id)) refuse("AlreadyExistsException");
    const { spec, usage, isMultiRegion } = key;
    const replica = { id, region: where, spec, usage, isMultiRegion, isExternal: false, hasMaterial: true };
    this.add({ ...replica, description: "", tags: new Map() }, "Creating");
  }

  updatePrimary(region: string, id: string, where: string): void {
    const key = this.require(region, id);
    if (this.primaries.get(id) !== region) refuse("UnsupportedOperationException");
    checkState("UpdatePrimaryRegion", key);
    if (where === region) refuse("UnsupportedOperationException");
    const replica = this.require(where, id);
    checkState("UpdatePrimaryRegion", replica);
    this.primaries.set(id, where);
    for (const member of [key, replica]) {
      member.state = "Updating";
      member.dueMs = this.nowMs + transitionMs;
    }
  }
}
