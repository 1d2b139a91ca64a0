/** The names that SPIRE's built-in plugin writes, written and read. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KeyManagerError } from "../../key-manager/errors.ts";
import { awsKmsNames } from "./names.ts";

describe("names of aws_kms", () => {
  const names = awsKmsNames("example.org", "a");

  it("writes aliases as the built-in plugin does", () => {
    assert.equal(names.aliasFor("x509-CA-A"), "alias/SPIRE_SERVER/example_org/a/x509-CA-A");
    assert.equal(names.aliasFor("acme_account+key"), "alias/SPIRE_SERVER/example_org/a/acme_account_2bkey");
    assert.equal(names.descriptionFor("x509-CA-A"), "SPIRE_SERVER/example.org");
  });

  it("tidies a server id as the built-in plugin's path joining does", () => {
    for (const serverId of ["prod/1", "prod/1/", "/prod/1", "prod//1"]) {
      assert.equal(awsKmsNames("a.b", serverId).aliasFor("k"), "alias/SPIRE_SERVER/a_b/prod/1/k");
    }
  });

  const foreign = [
    "alias/SPIRE_SERVER/example_org/ab/x509-CA-A",
    "alias/SPIRE_SERVER/example_org/a/b/x509-CA-A",
    "alias/SPIRE_SERVER/example_org/a/",
    "alias/SPIRE_SERVER/example_org/a",
    "alias/SPIRE_SERVER/example_organic/a/x509-CA-A",
    "alias/SPIRE_SERVER/example_org/A/x509-CA-A",
    "alias/aws/ebs",
    "alias/other/alias/SPIRE_SERVER/example_org/a/x509-CA-A",
  ];
  for (const aliasName of foreign) {
    it(`does not take ${aliasName} for its own`, () => assert.equal(names.isOwnAlias(aliasName), false));
  }

  it("reads its own aliases back, also those of ids with odd characters", () => {
    for (const keyId of ["x509-CA-A", "a_2eb", "spire.example.org+rsa", "b/x", "é"]) {
      const aliasName = names.aliasFor(keyId);
      assert.equal(names.isOwnAlias(aliasName), true);
      assert.equal(names.keyIdOf(aliasName, names.descriptionFor(keyId)), keyId);
    }
  });

  it("reads an alias made by the built-in plugin as the built-in does", () => {
    const aliasName = "alias/SPIRE_SERVER/example_org/a/acme_5f_2bkey";
    assert.equal(names.keyIdOf(aliasName, "SPIRE_SERVER_KEY/example_org/acme_5f+key"), "acme_5f+key");
  });

  it("tells apart by description what shares an alias segment, and calls foreign only what certainly is", () => {
    const dotted = awsKmsNames("a.b", "s");
    assert.equal(dotted.isForeignDescription("SPIRE_SERVER/a_b"), true);
    assert.equal(dotted.isForeignDescription("SPIRE_SERVER/a.b"), false);
    assert.equal(dotted.isForeignDescription("SPIRE_SERVER_KEY/a_b/x509-CA-A"), false);
    assert.equal(dotted.isForeignDescription("changed by the operator"), false);
  });

  it("refuses an alias that KMS would refuse for its length, to the character", () => {
    const room = 256 - names.aliasFor("").length;
    assert.equal(names.aliasFor("k".repeat(room)).length, 256);
    assert.throws(
      () => names.aliasFor("k".repeat(room + 1)),
      (error) =>
        error instanceof KeyManagerError && error.code === "INVALID_ARGUMENT" && /257 characters/.test(error.message),
    );
  });
});
