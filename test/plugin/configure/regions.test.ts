/** What the finished plugin says of a Region: one that cannot be is refused, one that is only unknown is tried and remarked. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { useStage } from "../harness/stage.ts";
import { expectStatus } from "../harness/status.ts";

describe("the Region in plugin_data", () => {
  const stage = useStage();

  for (const region of ["5", "us-east-2a", "US-EAST-2"]) {
    it(`"${region}" cannot be one: an error that names setting and value, at Validate and at Configure`, async () => {
      const plugin = await stage.start();
      const { valid, notes } = await plugin.validate({ region });
      assert.equal(valid, false);
      assert.match(notes.join("\n"), new RegExp(`^region: .*"${region}"`, "m"));
      await expectStatus(plugin.configure({ region }), "INVALID_ARGUMENT", new RegExp(`region: .*"${region}"`));
      await plugin.stop();
    });
  }

  it('"us-east-22" is not known: Configure goes on, and one line at warn names the nearest', async () => {
    const plugin = await stage.start();
    const { valid } = await plugin.validate({ region: "us-east-22" });
    assert.equal(valid, true);
    await plugin.configure({ region: "us-east-22" });
    const warning = await plugin.logged(/region: "us-east-22" is no Region that this version knows of/);
    assert.equal(warning.level, "warn");
    assert.match(warning.message, /did you mean us-east-2\?/);
    await plugin.generate("x509-CA-A");
    assert.equal((await plugin.fingerprints()).size, 1);
    await plugin.stop();
  });

  it("one that is known is nothing to speak of", async () => {
    const plugin = await stage.start();
    await plugin.configure({ region: "eu-central-2" });
    await plugin.logged(/^Configured/);
    assert.deepEqual(
      plugin.logs.filter(({ message }) => message.includes("Region")),
      [],
    );
    await plugin.stop();
  });
});
