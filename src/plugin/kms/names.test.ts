/** The names that the original `kms` plugin wrote, and prefixes that could be taken for one another. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { KeyManagerError } from "../../key-manager/errors.ts";
import { kmsNames } from "./names.ts";

const seed = { seed: 5, numRuns: 200 };
const spireIds = [
  "x509-CA-A",
  "x509-CA-B",
  "JWT-Signer-A",
  "JWT-Signer-B",
  "WIT-Signer-A",
  "bundle-acme-example_2eorg",
];

describe("names of kms", () => {
  it("writes what the original wrote", () => {
    const names = kmsNames("SPIRE_SERVER_KEY/");
    assert.equal(names.aliasFor("x509-CA-A"), "alias/SPIRE_SERVER_KEY/x509-CA-A");
    assert.equal(names.descriptionFor("x509-CA-A"), "SPIRE_SERVER_KEY/x509-CA-A");
    assert.equal(kmsNames("prod-1").aliasFor("x509-CA-A"), "alias/prod-1x509-CA-A");
  });

  it("puts the prefix in front as it stands, slashes and all", () => {
    for (const prefix of ["/a/", "a//", "a//b/"]) {
      const aliasName = kmsNames(prefix).aliasFor("k");
      assert.equal(aliasName, `alias/${prefix}k`);
      assert.equal(kmsNames(prefix).isOwnAlias(aliasName), true);
    }
  });

  const foreign = [
    "alias/SERVER_A",
    "alias/SERVER_A/",
    "alias/SERVER_A/b/x509-CA-A",
    "alias/SERVER_A//x509-CA-A",
    "alias/SERVER_AB/x509-CA-A",
    "alias/server_a/x509-CA-A",
    "alias/old/SERVER_A/x509-CA-A",
    "alias/SERVER_A/replaced/1234abcd-12ab-34cd-56ef-1234567890ab",
    "SERVER_A/x509-CA-A",
    "alias/aws/kms",
  ];
  for (const aliasName of foreign) {
    it(`does not take ${aliasName} for its own`, () =>
      assert.equal(kmsNames("SERVER_A/").isOwnAlias(aliasName), false));
  }

  it("reads its own aliases back, whatever the key id", () => {
    const prefix = fc.constantFrom("SERVER_A/", "SPIRE_SERVER_KEY/", "a/b/");
    const keyId = fc.string({ minLength: 1, maxLength: 20, unit: "grapheme" });
    fc.assert(
      fc.property(prefix, keyId, (keyPrefix, id) => {
        const names = kmsNames(keyPrefix);
        const aliasName = names.aliasFor(id);
        assert.match(aliasName, /^alias\/[A-Za-z0-9/_-]+$/);
        assert.ok(names.isOwnAlias(aliasName));
        assert.equal(names.keyIdOf(aliasName, names.descriptionFor(id)), id);
        assert.equal(names.keyIdOf(aliasName, ""), id, "and without the description's help");
      }),
      seed,
    );
  });

  it("reads what the original wrote, plain ids unchanged", () => {
    const plain = fc.stringMatching(/^[A-Za-z0-9_-]{1,20}$/);
    fc.assert(
      fc.property(plain, (id) => {
        const names = kmsNames("SERVER_A/");
        assert.equal(names.keyIdOf(`alias/SERVER_A/${id}`, `SERVER_A/${id}`), id);
      }),
      seed,
    );
    // Encoded by us this would be another id; the description tells that it stands for itself.
    assert.equal(kmsNames("SERVER_A/").keyIdOf("alias/SERVER_A/a_2eb", "SERVER_A/a_2eb"), "a_2eb");
    assert.equal(kmsNames("SERVER_A/").keyIdOf("alias/SERVER_A/a_2eb", "SERVER_A/a.b"), "a.b");
    assert.equal(kmsNames("SERVER_A/").keyIdOf("alias/SERVER_A/a_2eb", "rewritten"), "a.b");
  });

  it("does not let two prefixes that end with a slash share an alias", () => {
    const prefix = fc.stringMatching(/^[ab/]{0,3}\/$/);
    const id = fc.stringMatching(/^[ab/._]{1,4}$/);
    fc.assert(
      fc.property(prefix, prefix, id, (a, b, keyId) => {
        if (a !== b) assert.equal(kmsNames(b).isOwnAlias(kmsNames(a).aliasFor(keyId)), false);
      }),
      seed,
    );
  });

  it("marks keys that are to be deleted under names that are no key's", () => {
    const { reminders, isOwnAlias } = kmsNames("SERVER_A/");
    const reminder = reminders?.aliasFor("arn:aws:kms:us-east-2:111122223333:key/mrk-1234") ?? "";
    assert.equal(reminder, "alias/SERVER_A/replaced/mrk-1234");
    assert.equal(reminders?.isReminder(reminder), true);
    assert.equal(isOwnAlias(reminder), false);
    for (const other of ["alias/SERVER_A/replaced/", "alias/SERVER_A/replaced/a/b", "alias/SERVER_B/replaced/x"]) {
      assert.equal(reminders?.isReminder(other), false);
    }
    assert.equal(kmsNames(`${"p".repeat(237)}/`).reminders?.aliasFor("arn:key/1234"), undefined);
  });
});

describe("a key_prefix without a slash at its end", () => {
  const one = kmsNames("prod-1");
  const ten = kmsNames("prod-10");

  it("is told from a longer prefix by the key ids that SPIRE has", () => {
    for (const id of spireIds) {
      assert.equal(one.isOwnAlias(`alias/prod-1${id}`), true, id);
      assert.equal(one.isOwnAlias(`alias/prod-10${id}`), false, id);
      assert.equal(ten.isOwnAlias(`alias/prod-10${id}`), true, id);
      assert.equal(ten.isOwnAlias(`alias/prod-1${id}`), false, id);
    }
    assert.equal(one.isOwnAlias("alias/prod-1/x509-CA-A"), false);
  });

  it("is told from a shorter prefix, too, where a key id begins with what it has more", () => {
    assert.equal(kmsNames("webb").isOwnAlias("alias/webbundle-acme-example_2eorg"), false);
    assert.equal(kmsNames("webx").isOwnAlias("alias/webx509-CA-A"), false);
    assert.equal(kmsNames("webx5").isOwnAlias("alias/webx509-CA-A"), false);
    assert.equal(kmsNames("webx").isOwnAlias("alias/webxx509-CA-A"), true);
    assert.equal(kmsNames("webb").isOwnAlias("alias/webbbundle-acme-example_2eorg"), true);
  });

  it("shares no alias of SPIRE's with any other prefix", () => {
    const prefix = fc.stringMatching(/^[abwx5]{1,4}$/);
    fc.assert(
      fc.property(prefix, prefix, fc.constantFrom(...spireIds), (a, b, keyId) => {
        if (a !== b) assert.equal(kmsNames(b).isOwnAlias(`alias/${a}${keyId}`), false);
      }),
      seed,
    );
  });

  it("takes unknown ids where nothing speaks against it", () => {
    const all = ["alias/prod-1some-key", "alias/prod-1x509-CA-A", "alias/web-key"];
    assert.equal(one.isOwnAlias("alias/prod-1some-key"), true);
    assert.deepEqual([...(one.doubtsAbout?.(all) ?? [])], []);
  });

  it("doubts unknown ids behind a number, or behind another server's prefix", () => {
    const numbers = one.doubtsAbout?.(["alias/prod-10some-key"]);
    assert.deepEqual(
      [...(numbers ?? [])],
      [["alias/prod-10some-key", 'it may belong to a server with key_prefix "prod-10"']],
    );
    const web = kmsNames("web").doubtsAbout?.(["alias/webbing", "alias/webbx509-CA-A", "alias/webkey"]);
    assert.deepEqual([...(web ?? [])], [["alias/webbing", 'it may belong to the server with key_prefix "webb"']]);
  });

  it("makes no key that it would not find again", () => {
    for (const id of ["0some-key", "my-x509-CA-A", "my-bundle-acme-x"]) {
      assert.throws(
        () => one.aliasFor(id),
        (error) =>
          error instanceof KeyManagerError && error.code === "INVALID_ARGUMENT" && /end key_prefix/.test(error.message),
      );
    }
    for (const id of [...spireIds, "some-key"]) assert.ok(one.isOwnAlias(one.aliasFor(id)));
  });

  it("is sure of SPIRE's ids alone", () => {
    assert.equal(one.isAmbiguous?.("alias/prod-1x509-CA-A"), false);
    assert.equal(one.isAmbiguous?.("alias/prod-1some-key"), true);
    assert.equal(kmsNames("prod-1/").isAmbiguous?.("alias/prod-1/some-key"), false);
    assert.equal(one.trustDomainOf("prod-1x509-CA-A"), "own");
    assert.equal(one.trustDomainOf("prod-1some-key"), "foreign");
    assert.equal(one.trustDomainOf("prod-10x509-CA-A"), "foreign");
    assert.equal(kmsNames("prod-1/").trustDomainOf("prod-1/some-key"), "own");
    assert.equal(kmsNames("prod-1/").trustDomainOf("prod-1/"), "foreign");
  });

  it("looks at descriptions, too: what is neither its own nor SPIRE's is foreign", () => {
    assert.equal(one.isForeignDescription("prod-1x509-CA-A"), false);
    assert.equal(one.isForeignDescription("SPIRE_SERVER/example.org"), false);
    assert.equal(one.isForeignDescription("SPIRE_SERVER_KEY/example_org/x509-CA-A"), false);
    assert.equal(one.isForeignDescription("the key of our database"), true);
    assert.equal(kmsNames("prod-1/").isForeignDescription("the key of our database"), false);
  });
});
