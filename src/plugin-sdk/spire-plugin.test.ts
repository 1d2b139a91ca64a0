/** A plugin's life between Init and Deinit. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyManager } from "../gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { Init } from "../gen/spire/service/private/init/v1/init_pb.ts";
import { service } from "../go-plugin/grpc/grpc-service.ts";
import { GrpcStatusError } from "../go-plugin/grpc/status-error.ts";
import { serveInBackground } from "./serve-in-background.ts";

const keyManager = service(KeyManager, {
  generateKey: () => ({}),
  getPublicKey: () => ({}),
  getPublicKeys: () => ({}),
  signData: () => ({}),
});

const config = { configure: () => undefined, validate: () => ({ valid: true, notes: [] }) };

describe("Init", () => {
  it("answers the plugin's services, its own first, and not Init itself", async () => {
    const plugin = await serveInBackground({ services: [keyManager], config });
    assert.deepEqual(plugin.serviceNames, [
      "spire.plugin.server.keymanager.v1.KeyManager",
      "spire.service.common.config.v1.Config",
    ]);
    await plugin.stop();
  });

  it("waits for the plugin's onInit, and fails with it", async () => {
    const names: string[] = [];
    const plugin = await serveInBackground({
      services: [],
      onInit: async (host) => {
        await new Promise((resolve) => setImmediate(resolve));
        names.push(...host.names);
        if (host.names.length > 0) throw new Error("cannot use the host");
      },
    });
    const again = plugin.client(Init).init({ hostServiceNames: ["a.B"] });
    await assert.rejects(
      again,
      (error) => error instanceof GrpcStatusError && error.details === "unexpected error: cannot use the host",
    );
    assert.deepEqual(names, ["a.B"]);
    await plugin.stop();
  });
});

describe("Deinit", () => {
  it("runs the plugin's deinit once, however often it is asked", async () => {
    let runs = 0;
    const plugin = await serveInBackground({
      services: [],
      deinit: async () => {
        runs += 1;
      },
    });
    await plugin.client(Init).deinit({});
    await plugin.client(Init).deinit({});
    await plugin.stop();
    assert.equal(runs, 1);
  });

  it("is a plain success for a plugin that has nothing to release", async () => {
    const plugin = await serveInBackground({ services: [] });
    await plugin.client(Init).deinit({});
    await plugin.stop();
  });
});

describe("a loaded plugin", () => {
  it("is loaded once, with a logger", async () => {
    let loads = 0;
    const plugin = await serveInBackground(async ({ log }) => {
      loads += 1;
      log.info("loading");
      return { services: [keyManager] };
    });
    await plugin.client(KeyManager).getPublicKeys({});
    assert.equal(loads, 1);
    await plugin.stop();
  });
});
