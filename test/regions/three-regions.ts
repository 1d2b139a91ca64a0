/** Servers, an account and three Regions in virtual time, of which any may be away, slow or in trouble. */
import { createHash } from "node:crypto";
import { SimulatedAccount } from "../simulation/simulated-account.ts";
import { type ServerOptions, type Settings, SimulatedServer } from "../simulation/simulated-server.ts";
import type { Trouble } from "../simulation/troubles.ts";

export const home = "us-east-1";
export const west = "us-west-2";
export const europe = "eu-west-1";
export const threeRegions: readonly string[] = [home, west, europe];
export const trustDomain = "example.org";

export interface KeyInRegion {
  readonly KeyId: string;
  readonly Arn: string;
  readonly KeyState: string;
  readonly Description: string;
  readonly CreationDate: Date;
  readonly MultiRegion: boolean;
  readonly MultiRegionConfiguration?: {
    readonly MultiRegionKeyType: "PRIMARY" | "REPLICA";
    readonly PrimaryKey: { readonly Region: string };
    readonly ReplicaKeys: readonly { readonly Region: string }[];
  };
}

/** What is in a Region, as an operator sees it. */
export class RegionView {
  readonly #account: SimulatedAccount;
  readonly region: string;

  constructor(account: SimulatedAccount, region: string) {
    this.#account = account;
    this.region = region;
  }

  call<T>(operation: string, input: object): Promise<T> {
    return this.#account.callIn(this.region, operation, input) as Promise<T>;
  }

  async keys(): Promise<readonly KeyInRegion[]> {
    const { Keys } = await this.call<{ Keys: readonly { KeyId: string }[] }>("ListKeys", { Limit: 1_000 });
    return Promise.all(Keys.map(({ KeyId }) => this.key(KeyId)));
  }

  async key(KeyId: string): Promise<KeyInRegion> {
    return (await this.call<{ KeyMetadata: KeyInRegion }>("DescribeKey", { KeyId })).KeyMetadata;
  }

  /** Key ids by alias. */
  async aliases(): Promise<ReadonlyMap<string, string>> {
    const { Aliases } = await this.call<{ Aliases: readonly { AliasName: string; TargetKeyId: string }[] }>(
      "ListAliases",
      { Limit: 100 },
    );
    return new Map(Aliases.map(({ AliasName, TargetKeyId }) => [AliasName, TargetKeyId]));
  }

  async aliasDates(): Promise<ReadonlyMap<string, Date>> {
    const { Aliases } = await this.call<{ Aliases: readonly { AliasName: string; LastUpdatedDate: Date }[] }>(
      "ListAliases",
      { Limit: 100 },
    );
    return new Map(Aliases.map(({ AliasName, LastUpdatedDate }) => [AliasName, LastUpdatedDate]));
  }

  async tags(KeyId: string): Promise<ReadonlyMap<string, string>> {
    const { Tags } = await this.call<{ Tags: readonly { TagKey: string; TagValue: string }[] }>("ListResourceTags", {
      KeyId,
    });
    return new Map(Tags.map(({ TagKey, TagValue }) => [TagKey, TagValue]));
  }

  async policy(KeyId: string): Promise<unknown> {
    return JSON.parse((await this.call<{ Policy: string }>("GetKeyPolicy", { KeyId })).Policy);
  }

  async state(KeyId: string): Promise<string> {
    return (await this.key(KeyId)).KeyState;
  }
}

export class World {
  readonly account: SimulatedAccount;
  readonly home: RegionView;
  readonly west: RegionView;
  readonly europe: RegionView;
  /** What calls of the servers meet in a Region, for all operations or by operation. */
  readonly troubles = new Map<string, Trouble | ((operation: string) => Trouble | undefined)>();

  constructor(account = new SimulatedAccount()) {
    this.account = account;
    this.home = this.in(home);
    this.west = this.in(west);
    this.europe = this.in(europe);
    account.fateOf = (_caller, operation, region = home) => {
      const trouble = this.troubles.get(region);
      return typeof trouble === "function" ? trouble(operation) : trouble;
    };
  }

  get time() {
    return this.account.time;
  }

  in(region: string): RegionView {
    return new RegionView(this.account, region);
  }

  /** A configured server. */
  async server(settings: Settings = {}, more: Partial<ServerOptions> = {}): Promise<SimulatedServer> {
    const server = new SimulatedServer({ account: this.account, trustDomain, serverId: "root", settings, ...more });
    await this.time.until(server.configure());
    return server;
  }

  generate(server: SimulatedServer, keyId = "x509-CA-A") {
    return this.time.until(server.generate(keyId));
  }

  /** @returns how many virtual milliseconds it took */
  async sign(server: SimulatedServer, keyId = "x509-CA-A"): Promise<number> {
    const before = this.time.now;
    const digest = createHash("sha256").update(`${before}`).digest();
    await this.time.until(server.sign(keyId, digest));
    return this.time.now - before;
  }
}

export const aliasOf = (keyId = "x509-CA-A", serverId = "root") =>
  `alias/SPIRE_SERVER/example_org/${serverId}/${keyId}`;
export const bare = (arn: string): string => arn.slice(arn.lastIndexOf("/") + 1);
export const replicated: Settings = { replica_regions: [west, europe] };
