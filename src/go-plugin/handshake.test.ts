/** The cookie, the versions, the variables and the line of the handshake. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { GoPluginError } from "./errors.ts";
import {
  chooseProtocolVersion,
  formatHandshakeLine,
  hasMagicCookie,
  parseHandshakeLine,
  readHostRequest,
} from "./handshake.ts";

describe("hasMagicCookie", () => {
  const cookie = { key: "KeyManager", value: "KeyManager" };

  it("wants the key with the very value", () => {
    assert.equal(hasMagicCookie({ KeyManager: "KeyManager" }, cookie), true);
    assert.equal(hasMagicCookie({ KeyManager: "keymanager" }, cookie), false);
    assert.equal(hasMagicCookie({ KeyManager: "" }, cookie), false);
    assert.equal(hasMagicCookie({}, cookie), false);
  });

  it("never holds for a plugin that has no cookie key", () => {
    assert.equal(hasMagicCookie({ "": "" }, { key: "", value: "" }), false);
  });
});

describe("chooseProtocolVersion", () => {
  it("takes the highest version both sides have", () => {
    assert.equal(chooseProtocolVersion([1], "1"), 1);
    assert.equal(chooseProtocolVersion([1, 2, 3], "2,1"), 2);
    assert.equal(chooseProtocolVersion([2, 10], "10,2"), 10);
    assert.equal(chooseProtocolVersion([1], " 1 , 4"), 1);
  });

  it("gives a host without negotiation the lowest version", () => {
    assert.equal(chooseProtocolVersion([1], undefined), 1);
    assert.equal(chooseProtocolVersion([3, 2], undefined), 2);
  });

  it("passes over entries that are no numbers", () => {
    assert.equal(chooseProtocolVersion([1], "x,,1.5,-1,1"), 1);
  });

  it("names both lists when they have nothing in common", () => {
    assert.throws(
      () => chooseProtocolVersion([1], "2,3"),
      (error) =>
        error instanceof GoPluginError && error.code === "PROTOCOL_VERSION" && /"2,3".*speaks 1/.test(error.message),
    );
  });
});

describe("readHostRequest", () => {
  it("reads every variable, and an empty one as unset", () => {
    assert.deepEqual(
      readHostRequest({
        PLUGIN_PROTOCOL_VERSIONS: "1",
        PLUGIN_MIN_PORT: "10000",
        PLUGIN_MAX_PORT: "25000",
        PLUGIN_UNIX_SOCKET_DIR: "/run/x",
        PLUGIN_UNIX_SOCKET_GROUP: "",
        PLUGIN_MULTIPLEX_GRPC: "false",
      }),
      {
        protocolVersions: "1",
        clientCertificatePem: undefined,
        socketDir: "/run/x",
        socketGroup: undefined,
        minPort: "10000",
        maxPort: "25000",
        asksAboutMultiplexing: true,
      },
    );
  });
});

describe("formatHandshakeLine", () => {
  const base = { appProtocolVersion: 1, network: "unix", address: "/tmp/plugin1" } as const;

  it("prints six fields, the last empty without AutoMTLS", () => {
    assert.equal(formatHandshakeLine(base), "1|1|unix|/tmp/plugin1|grpc|");
  });

  it("prints the certificate as unpadded standard base64", () => {
    const serverCertificate = Buffer.from([0xfb, 0xff, 0xbf, 0x01]);
    assert.equal(formatHandshakeLine({ ...base, serverCertificate }), "1|1|unix|/tmp/plugin1|grpc|+/+/AQ");
  });

  it("prints the seventh field when the host asked, and only then", () => {
    assert.equal(formatHandshakeLine({ ...base, multiplexing: false }), "1|1|unix|/tmp/plugin1|grpc||false");
  });
});

describe("parseHandshakeLine", () => {
  it("reads back whatever was printed", () => {
    fc.assert(
      fc.property(
        fc.record(
          {
            appProtocolVersion: fc.nat(99),
            network: fc.constantFrom("unix" as const, "tcp" as const),
            address: fc.stringMatching(/^[ -{}~]+$/).filter((text) => text.trim() === text && text !== ""),
            serverCertificate: fc.option(
              fc.uint8Array({ minLength: 1 }).map((bytes) => Buffer.from(bytes)),
              { nil: undefined },
            ),
            multiplexing: fc.option(fc.boolean(), { nil: undefined }),
          },
          { noNullPrototype: true },
        ),
        (handshake) => {
          const parsed = parseHandshakeLine(formatHandshakeLine(handshake));
          assert.deepEqual({ serverCertificate: undefined, multiplexing: undefined, ...parsed }, handshake);
        },
      ),
      { numRuns: 200, seed: 7 },
    );
  });

  it("takes a line end and the padding that other plugins may print", () => {
    assert.deepEqual(parseHandshakeLine("1|1|tcp|127.0.0.1:10001|grpc|AQ==\r\n").serverCertificate, Buffer.from([1]));
  });

  const refusals: [string, string][] = [
    ["", "fewer than four"],
    ["hello", "fewer than four"],
    ["2|1|unix|/x|grpc|", "core protocol version 2"],
    ["1|x|unix|/x|grpc|", "application protocol version"],
    ["1|1|pipe|/x|grpc|", 'unknown network "pipe"'],
    ["1|1|unix||grpc|", "no address"],
    ["1|1|unix|/x", 'protocol "netrpc"'],
    ["1|1|unix|/x|netrpc|", 'protocol "netrpc"'],
  ];
  for (const [line, why] of refusals) {
    it(`refuses ${JSON.stringify(line)}: ${why}`, () => {
      assert.throws(
        () => parseHandshakeLine(line),
        (error) => error instanceof GoPluginError && error.code === "HANDSHAKE_LINE" && error.message.includes(why),
      );
    });
  }
});
