/** What a server's metrics are when it is well, and before and after each kind of trouble: real plugins, an embedded KMS, faults. */
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Fault } from "../../src/kms-emulator/index.ts";
import { credentials, type Stage } from "../plugin/harness/stage.ts";
import { numberOf, type Snapshot, WatchedPlugin } from "./watched-plugin.ts";

/** Both ends of something that happened. */
export interface Trouble {
  readonly before: Snapshot;
  readonly after: Snapshot;
}

const replicaRegion = "us-west-2";

const event = (name: string, least: number) => (own: Snapshot["own"]) =>
  (numberOf(own, "events_total", { event: name }) ?? 0) >= least;
const calls = (labels: Readonly<Record<string, string>>, least: number) => (own: Snapshot["own"]) =>
  (numberOf(own, "aws_calls_total", labels) ?? 0) >= least;

export class RealRun {
  readonly #stage: Stage;
  readonly #servers: Server[] = [];

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  close(): void {
    for (const server of this.#servers) {
      server.close();
      server.closeAllConnections();
    }
  }

  /** KMS fails for signatures in the Region of the keys. */
  async regionFails(): Promise<Trouble> {
    const server = await WatchedPlugin.start(this.#stage, {
      key_identifier_value: "failing",
      replica_regions: [replicaRegion],
    });
    await server.plugin.generate("x509-CA-A");
    const before = await server.until((own) => numberOf(own, "replicas", { state: "ready" }) === 1);
    const isHome = (input: unknown) => !String(Reflect.get(Object(input), "KeyId")).includes(replicaRegion);
    const fault = this.#stage.kms.fault({ kind: "http-500", operation: "Sign", match: isHome });
    await server.sign("x509-CA-A", 8);
    const after = await server.until(event("region_failovers", 1));
    fault.remove();
    return { before, after };
  }

  /** A key may not be replicated. */
  async replicasMissing(): Promise<Trouble> {
    const server = await WatchedPlugin.start(this.#stage, {
      key_identifier_value: "lonely",
      replica_regions: [replicaRegion],
    });
    const before = await server.until(() => true);
    const fault = this.#stage.kms.fault({ kind: "error", name: "AccessDeniedException", operation: "ReplicateKey" });
    await server.plugin.generate("x509-CA-A");
    const after = await server.until(event("replications_failed", 1));
    fault.remove();
    return { before, after };
  }

  /** A server that was just configured, and one that has keys, signs and has done its upkeep. */
  async well(): Promise<{ readonly empty: Snapshot; readonly well: Snapshot }> {
    const settings = { key_identifier_value: "well", scan_start_delay: "0s", replica_regions: [replicaRegion] };
    const server = await WatchedPlugin.start(this.#stage, settings);
    const empty = await server.until((own) => numberOf(own, "live_keys") === 0);
    for (const keyId of ["x509-CA-A", "JWT-Signer-A"]) await server.plugin.generate(keyId);
    await server.plugin.configure({ ...settings, metrics_listen: server.listen });
    await server.sign("x509-CA-A", 20);
    const well = await server.until(
      (own) =>
        numberOf(own, "live_keys") === 2 &&
        numberOf(own, "replicas", { state: "ready" }) === 2 &&
        numberOf(own, "task_last_success_timestamp_seconds", { task: `refresh replicas in ${replicaRegion}` }) !==
          undefined &&
        numberOf(own, "task_last_success_timestamp_seconds", { task: "refresh aliases" }) !== undefined &&
        numberOf(own, "task_last_success_timestamp_seconds", { task: "prune stale keys" }) !== undefined,
    );
    return { empty, well };
  }

  /** A server under one fault after another. */
  async troubles(): Promise<Readonly<Record<string, Trouble>>> {
    const server = await WatchedPlugin.start(this.#stage, { key_identifier_value: "troubled" });
    await server.plugin.generate("x509-CA-A");
    await server.sign("x509-CA-A", 60);
    const now = () => server.until(() => true);
    const during = async (
      fault: Fault | undefined,
      act: () => Promise<unknown>,
      is: (own: Snapshot["own"]) => boolean,
    ) => {
      const before = await now();
      const handle = fault && this.#stage.kms.fault(fault);
      await act();
      const after = await server.until(is);
      handle?.remove();
      return { before, after };
    };
    const denied = { kind: "error", name: "AccessDeniedException" } as const;
    const generate = () => server.plugin.generate("x509-CA-A").catch(() => undefined);
    const times = async (count: number, act: () => Promise<unknown>) => {
      for (let time = 0; time < count; time++) await act();
    };
    return {
      hedged: await during(
        { kind: "delay", ms: 1_500, operation: "Sign", times: 1 },
        () => server.sign("x509-CA-A", 5),
        event("signatures_hedged", 1),
      ),
      wrong: await during(
        { kind: "corrupt-signature", operation: "Sign", times: 1 },
        () => server.sign("x509-CA-A"),
        event("wrong_signatures", 1),
      ),
      signDenied: await during(
        { ...denied, operation: "Sign" },
        () => server.sign("x509-CA-A", 5),
        calls({ operation: "Sign", result: "AccessDenied" }, 5),
      ),
      slow: await during(
        { kind: "delay", ms: 1_200, operation: "Sign" },
        () => Promise.all([1, 2, 3, 4].map(() => server.sign("x509-CA-A"))),
        () => true,
      ),
      throttled: await during(
        { kind: "error", name: "ThrottlingException", operation: "Sign", times: 20 },
        () => Promise.all(Array.from({ length: 20 }, () => server.sign("x509-CA-A"))),
        (own) => (numberOf(own, "aws_retries_total", { reason: "Throttled" }) ?? 0) >= 15,
      ),
      churn: await during(undefined, () => times(26, generate), event("keys_scheduled_for_deletion", 26)),
      waiting: await during(
        { ...denied, operation: "ScheduleKeyDeletion" },
        generate,
        (own) => (numberOf(own, "deletions_queued") ?? 0) >= 1,
      ),
      // A key that cannot be named and not be scheduled for deletion either is taken by the next generation.
      generationsFail: await during(
        { ...denied, operation: "ScheduleKeyDeletion" },
        () =>
          times(10, async () => {
            this.#stage.kms.fault({ ...denied, operation: "UpdateAlias", times: 1 });
            await generate();
            await generate();
          }),
        event("keys_reused", 7),
      ),
    };
  }

  /** A ceiling that is reached. */
  async ceiling(): Promise<Trouble> {
    const server = await WatchedPlugin.start(this.#stage, {
      key_identifier_value: "ceiling",
      max_keys_created_per_hour: 1,
    });
    await server.plugin.generate("x509-CA-A");
    const before = await server.until(() => true);
    await server.plugin.generate("x509-CA-B").catch(() => undefined);
    return { before, after: await server.until(event("creation_ceiling_reached", 1)) };
  }

  /** A second server with the same identity. */
  async conflict(): Promise<Trouble> {
    const settings = { key_identifier_value: "copied", scan_start_delay: "0s", alias_refresh_interval: "1s" };
    const server = await WatchedPlugin.start(this.#stage, settings);
    await server.plugin.generate("x509-CA-A");
    const before = await server.until(() => true);
    const other = await this.#stage.start();
    await other.configure({ key_identifier_value: "copied" });
    await other.generate("x509-CA-A");
    return { before, after: await server.until(event("identity_conflicts", 1)) };
  }

  /** Credentials that can be had once, and are always about to end. */
  async credentials(): Promise<Trouble> {
    let isWell = true;
    const source = createServer((_, response) => {
      response.statusCode = isWell ? 200 : 500;
      response.end(
        JSON.stringify({
          AccessKeyId: credentials.accessKeyId,
          SecretAccessKey: credentials.secretAccessKey,
          Token: "token",
          Expiration: new Date(Date.now() + 240_000).toISOString(),
        }),
      );
    });
    this.#servers.push(source);
    await new Promise<void>((resolve) => source.listen(0, "127.0.0.1", resolve));
    const { port } = source.address() as AddressInfo;
    const server = await WatchedPlugin.start(
      this.#stage,
      { key_identifier_value: "credentials" },
      {
        AWS_ACCESS_KEY_ID: undefined,
        AWS_SECRET_ACCESS_KEY: undefined,
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/`,
      },
    );
    await server.plugin.generate("x509-CA-A");
    const before = await server.until(() => true);
    isWell = false;
    const after = server.until(event("credential_renewals_failed", 1));
    const ended = after.then(() => true);
    while (!(await Promise.race([ended, server.sign("x509-CA-A").then(() => false)])));
    return { before, after: await after };
  }
}
