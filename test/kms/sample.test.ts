import assert from "node:assert/strict";
import { dirname, relative } from "node:path";
import { describe, it } from "node:test";
import { attributes, type HclObject, parseHcl, printHcl, toPlainObject } from "../../src/hcl/index.ts";
import { sha256OfFile } from "../../src/plugin-sdk/index.ts";
import { useStage } from "../plugin/harness/stage.ts";
import { kmsCommand } from "./kms-command.ts";

/** The block of the original plugin's page, as it stands there. */
const sample = `KeyManager "kms" {
    plugin_cmd = "path/to/bin/kms"
    plugin_checksum = "5c67edba8371f3ee5cc25dadf08b29281f7c747fa32de1323aba13aca60abe70"
    plugin_data {
        access_key_id = "ABIAXWLCWD9J4X873CQ2"
        secret_access_key = "CFiEHGH4N6LerdAt99SPwxmwoJ6IB1pPLJxTGoPN"
        region = "us-east-2"
    }
}
`;

const accessKeyId = "ABIAXWLCWD9J4X873CQ2";
const secretAccessKey = "CFiEHGH4N6LerdAt99SPwxmwoJ6IB1pPLJxTGoPN";

function block(object: HclObject | undefined, ...path: readonly string[]): HclObject {
  let current = object;
  for (const name of path) {
    const value = current === undefined ? undefined : attributes(current).get(name)?.[0];
    current = value?.kind === "object" ? value : undefined;
  }
  assert.ok(current, path.join("."));
  return current;
}

describe("the sample of the original plugin's page", () => {
  const stage = useStage({
    pluginCommand: kmsCommand,
    secrets: [secretAccessKey],
    emulator: {
      region: "eu-west-1",
      verifySignatures: true,
      identities: [{ accessKeyId, secretAccessKey, arn: "arn:aws:iam::111122223333:user/spire" }],
    },
  });

  it("works as it stands, with the path and the checksum of our file", async () => {
    const checksum = await sha256OfFile(kmsCommand);
    const ours = sample
      .replace("path/to/bin/kms", relative(stage.folder, kmsCommand))
      .replace(/(?<=plugin_checksum = ")[0-9a-f]{64}/, checksum);
    const keyManager = toPlainObject(block(parseHcl(ours), "KeyManager", "kms"));
    assert.equal(keyManager.plugin_checksum, checksum);
    assert.notEqual(dirname(kmsCommand), stage.folder);

    const plugin = await stage.start({
      command: String(keyManager.plugin_cmd),
      checksum: String(keyManager.plugin_checksum),
      // The block's own credentials must do: the environment has none, and SPIRE's Region is another.
      env: { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_REGION: "eu-west-1" },
    });
    // SPIRE prints the block again and hands that text over.
    await plugin.configureText(printHcl(toPlainObject(block(parseHcl(ours), "KeyManager", "kms", "plugin_data"))));
    await plugin.generate("x509-CA-A");
    const [created] = stage.kms.calls("CreateKey");
    assert.equal(created?.region, "us-east-2");
    assert.equal(created?.caller.accessKeyId, accessKeyId);
    const [alias] = stage.kms.calls("CreateAlias");
    const { AliasName } = (alias?.input ?? {}) as { AliasName?: string };
    assert.equal(AliasName, "alias/SPIRE_SERVER_KEY/x509-CA-A");
    await plugin.stop();
  });

  it("is refused with another file's checksum, before anything is executed", async () => {
    await assert.rejects(
      stage.start({ checksum: "5c67edba8371f3ee5cc25dadf08b29281f7c747fa32de1323aba13aca60abe70" }),
      /has SHA-256 [0-9a-f]{64}, not 5c67edba/,
    );
  });
});
