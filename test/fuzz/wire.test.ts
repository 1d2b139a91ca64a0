/** Whatever comes on the plugin's socket: it is answered or refused, and the plugin stays sound. */
import assert from "node:assert/strict";
import { connect } from "node:net";
import { before, describe, it } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import { Client, credentials as grpcCredentials, Metadata } from "@grpc/grpc-js";
import { SignDataRequestSchema } from "../../src/gen/spire/plugin/server/keymanager/v1/keymanager_pb.ts";
import { signMessage } from "../plugin/harness/signing.ts";
import { useStage } from "../plugin/harness/stage.ts";
import type { TestPlugin } from "../plugin/harness/test-plugin.ts";
import { Chance, rounds } from "./seed.ts";
import { assertSound } from "./sound.ts";

const keyId = "x509-CA-A";
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
const services = [
  "/spire.plugin.server.keymanager.v1.KeyManager/SignData",
  "/spire.plugin.server.keymanager.v1.KeyManager/GenerateKey",
  "/spire.plugin.server.keymanager.v1.KeyManager/GetPublicKey",
  "/spire.service.common.config.v1.Config/Configure",
  "/spire.service.common.config.v1.Config/Validate",
  "/spire.service.private.init.v1.Init/Init",
  "/plugin.GRPCController/Nothing",
  "/grpc.health.v1.Health/Check",
] as const;

for (const isFast of [true, false])
  describe(`nonsense on the plugin's socket, grpc_fast_path = ${isFast}`, () => {
    const settings = { grpc_fast_path: isFast };
    const stage = useStage();
    let plugin: TestPlugin;
    let address: string;

    before(async () => {
      plugin = await stage.start();
      await plugin.configure(settings);
      await plugin.generate(keyId);
      ({ address } = plugin.host.handshake);
    });

    /** Writes, and waits until the plugin hangs up or a moment has passed. */
    function write(bytes: Buffer): Promise<void> {
      return new Promise((resolve) => {
        const socket = connect(address, () => socket.end(bytes));
        socket.resume();
        socket.setTimeout(200, () => socket.destroy());
        socket.on("error", () => undefined);
        socket.once("close", () => resolve());
      });
    }

    it("bytes of any kind, with and without HTTP/2's preface", async () => {
      const chance = new Chance(isFast ? 1 : 4);
      for (let round = 0; round < rounds(60); round++) {
        const noise = chance.bytes(1 + chance.below(400));
        const settings = Buffer.from("000000040000000000", "hex");
        await write(chance.pick([noise, Buffer.concat([preface, noise]), Buffer.concat([preface, settings, noise])]));
      }
      await assertSound(plugin);
      await signMessage(plugin, keyId, Buffer.from("m"), "sha256");
    });

    it("messages that are almost right, for every method: an answer or a status, within the deadline", async () => {
      const chance = new Chance(isFast ? 2 : 5);
      const client = new Client(`unix:${address}`, grpcCredentials.createInsecure(), {
        "grpc.max_send_message_length": -1,
      });
      const whole = toBinary(
        SignDataRequestSchema,
        create(SignDataRequestSchema, {
          keyId,
          data: new Uint8Array(32),
          signerOpts: { case: "hashAlgorithm", value: 5 },
        }),
      );
      const call = (path: string, bytes: Buffer): Promise<number> =>
        new Promise((resolve) => {
          const asIs = (value: Buffer) => value;
          const deadline = { deadline: Date.now() + 10_000 };
          client.makeUnaryRequest(path, asIs, asIs, bytes, new Metadata(), deadline, (error) =>
            resolve(error?.code ?? 0),
          );
        });
      try {
        const codes = new Map<number, number>();
        for (let round = 0; round < rounds(250); round++) {
          const bytes = chance.random() < 0.7 ? chance.mutate(whole) : chance.bytes(chance.below(200));
          // A mutation may well be a request for a key: P-256 costs nothing, and RSA-4096 seconds.
          const path = chance.pick(services);
          const code = await call(path, bytes);
          codes.set(code, (codes.get(code) ?? 0) + 1);
        }
        assert.ok(!codes.has(4), "a deadline was reached");
        assert.ok(codes.size > 2, "different things happened");
        assert.equal((await call(services[0], Buffer.concat([whole, Buffer.alloc(32 * 2 ** 20)]))) === 0, false);
      } finally {
        client.close();
      }
      await assertSound(plugin);
      await plugin.configure(settings);
      await signMessage(plugin, keyId, Buffer.from("m"), "sha256");
    });

    it("settings that are almost right: Configure and Validate say what is wrong", async () => {
      const chance = new Chance(3);
      const texts = [
        'region = "us-east-2"\nkey_identifier_value = "server"\nscan_start_delay = "24h"\nkey_tags = { Team = "security" }\n',
        '{ "region": "us-east-2", "key_identifier_value": "server", "key_tags": [{ "Team": "a" }] }',
        'region = "us-east-2"\nkey_identifier_value = "server"\nkey_tags {\n  Team = <<EOF\na\nEOF\n}\nmetrics_listen = "127.0.0.1:0"\n',
      ] as const;
      for (let round = 0; round < rounds(150); round++) {
        const text = chance.mutate(Buffer.from(chance.pick(texts))).toString("latin1");
        await plugin.validateText(text).catch(() => undefined);
        if (round % 5 === 0) await plugin.configureText(text).catch(() => undefined);
      }
      await assertSound(plugin);
      await plugin.configure(settings);
    });
  });
