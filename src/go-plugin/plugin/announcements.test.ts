/** Announcements that come early, late, twice or not at all. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { ConnInfoSchema } from "../../gen/plugin/grpc_broker_pb.ts";
import { GoPluginError, type GoPluginErrorCode } from "../errors.ts";
import { Announcements } from "./announcements.ts";

function info(init: MessageInitShape<typeof ConnInfoSchema>) {
  return create(ConnInfoSchema, { serviceId: 1, network: "unix", address: "/s", ...init });
}

const withCode = (code: GoPluginErrorCode) => (error: unknown) => error instanceof GoPluginError && error.code === code;

describe("Announcements", () => {
  it("hands an announcement to whoever asks after it came", async () => {
    const announcements = new Announcements();
    announcements.receive(info({}));
    assert.deepEqual(await announcements.take(1), { network: "unix", address: "/s" });
  });

  it("hands it to whoever asked before it came", async () => {
    const announcements = new Announcements();
    const taken = announcements.take(1);
    announcements.receive(info({ serviceId: 2, address: "/other" }));
    announcements.receive(info({ network: "tcp", address: "127.0.0.1:1" }));
    assert.deepEqual(await taken, { network: "tcp", address: "127.0.0.1:1" });
  });

  it("can be taken once", async () => {
    const announcements = new Announcements(20);
    announcements.receive(info({}));
    await announcements.take(1);
    await assert.rejects(announcements.take(1), withCode("BROKER_TIMEOUT"));
  });

  it("lapses when it is not picked up in time", async () => {
    const announcements = new Announcements(20);
    announcements.receive(info({}));
    await new Promise((resolve) => setTimeout(resolve, 60));
    await assert.rejects(announcements.take(1), withCode("BROKER_TIMEOUT"));
  });

  it("is replaced by a newer one", async () => {
    const announcements = new Announcements();
    announcements.receive(info({ address: "/old" }));
    announcements.receive(info({ address: "/new" }));
    assert.equal((await announcements.take(1)).address, "/new");
  });

  it("is not a knock, which belongs to multiplexing", async () => {
    const announcements = new Announcements(20);
    announcements.receive(info({ knock: { knock: true } }));
    await assert.rejects(announcements.take(1), withCode("BROKER_TIMEOUT"));
  });

  it("fails the waiting call when its address is of no use", async () => {
    const announcements = new Announcements();
    const taken = announcements.take(1);
    announcements.receive(info({ network: "pipe" }));
    await assert.rejects(taken, withCode("BROKER_ADDRESS"));
  });

  it("is given up by an aborted call", async () => {
    const announcements = new Announcements();
    const controller = new AbortController();
    const taken = announcements.take(1, controller.signal);
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(taken, reason);
    await assert.rejects(announcements.take(1, controller.signal), reason);
    announcements.receive(info({}));
    assert.equal((await announcements.take(1)).address, "/s");
  });

  it("fails everybody when the broker closes", async () => {
    const announcements = new Announcements();
    const taken = announcements.take(1);
    announcements.close();
    await assert.rejects(taken, withCode("BROKER_CLOSED"));
    await assert.rejects(announcements.take(2), withCode("BROKER_CLOSED"));
  });
});
