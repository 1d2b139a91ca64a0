/** Seeds: keys that are there from the beginning, and what is said of seeds that cannot be. */
import assert from "node:assert/strict";
import { generateKeyPairSync, verify } from "node:crypto";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createEngine, manualClock, type SeedKey, startEmulator } from "../../../src/kms-emulator/index.ts";
import { startProcess } from "./emulator-process.ts";

const dayMs = 86_400_000;
const start = Date.UTC(2026, 5, 1);

function engineOf(...keys: readonly SeedKey[]) {
  return createEngine({ clock: manualClock(start), seeds: { keys }, awsManagedAliases: false });
}

function temporaryFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "emulator-seeds-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const keyId = "1234abcd-12ab-34cd-56ef-1234567890ab";
const pem = { type: "pkcs8", format: "pem" } as const;

describe("seeds", () => {
  it("are keys with their given ids, private keys, aliases, tags and ages", async () => {
    const pair = generateKeyPairSync("ec", { namedCurve: "P-384" });
    const { control } = engineOf({
      keyId,
      privateKey: pair.privateKey.export(pem).toString(),
      description: "of the test",
      ageDays: 400,
      tags: { team: "web", stage: "" },
      aliases: ["alias/first", { name: "alias/stale", ageDays: 300, updatedDaysAgo: 20 }],
    });
    const { KeyMetadata } = await control.call("DescribeKey", { KeyId: "alias/first" });
    assert.equal(KeyMetadata.KeyId, keyId);
    assert.deepEqual(
      [KeyMetadata.KeySpec, KeyMetadata.KeyUsage, KeyMetadata.Description, KeyMetadata.Origin],
      ["ECC_NIST_P384", "SIGN_VERIFY", "of the test", "AWS_KMS"],
    );
    assert.equal(KeyMetadata.CreationDate.getTime(), start - 400 * dayMs);
    const { Tags } = await control.call("ListResourceTags", { KeyId: keyId });
    assert.deepEqual(Tags, [
      { TagKey: "stage", TagValue: "" },
      { TagKey: "team", TagValue: "web" },
    ]);
    const { Aliases } = await control.call("ListAliases", {});
    const dates = Aliases.map(({ AliasName, CreationDate, LastUpdatedDate }) => [
      AliasName,
      (start - Number(CreationDate)) / dayMs,
      (start - Number(LastUpdatedDate)) / dayMs,
    ]);
    assert.deepEqual(dates, [
      ["alias/first", 400, 400],
      ["alias/stale", 300, 20],
    ]);
    const message = Buffer.from("signed by the given key");
    const input = { KeyId: keyId, Message: message, SigningAlgorithm: "ECDSA_SHA_384" } as const;
    const { Signature } = await control.call("Sign", input);
    assert.ok(verify("sha384", message, pair.publicKey, Signature));
  });

  it("have private keys of every kind and form, and say themselves what spec they are", async () => {
    const { control } = engineOf(
      {
        keyId: keyOf(0),
        privateKey: String(
          generateKeyPairSync("rsa", { modulusLength: 2048 }).privateKey.export({
            type: "pkcs1",
            format: "pem",
          }),
        ),
      },
      {
        keyId: keyOf(1),
        privateKey: String(
          generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey.export({
            type: "sec1",
            format: "pem",
          }),
        ),
      },
      {
        keyId: keyOf(2),
        privateKey: String(generateKeyPairSync("ec", { namedCurve: "secp256k1" }).privateKey.export(pem)),
      },
      { keyId: keyOf(3), privateKey: String(generateKeyPairSync("ed25519").privateKey.export(pem)) },
      {
        keyId: keyOf(4),
        privateKey: String(generateKeyPairSync("ec", { namedCurve: "P-521" }).privateKey.export(pem)),
        keyUsage: "KEY_AGREEMENT",
      },
      { keyId: keyOf(5), secret: Buffer.alloc(32, 9).toString("base64") },
      { keyId: keyOf(6), keySpec: "HMAC_256", secret: Buffer.alloc(32, 9).toString("base64") },
      { keyId: keyOf(7), keySpec: "RSA_2048" },
      { keyId: keyOf(8), keySpec: "ML_DSA_44" },
    );
    const seen: string[] = [];
    for (let index = 0; index < 9; index += 1) {
      const { KeyMetadata } = await control.call("DescribeKey", { KeyId: keyOf(index) });
      seen.push(`${KeyMetadata.KeySpec} ${KeyMetadata.KeyUsage}`);
    }
    assert.deepEqual(seen, [
      "RSA_2048 SIGN_VERIFY",
      "ECC_NIST_P256 SIGN_VERIFY",
      "ECC_SECG_P256K1 SIGN_VERIFY",
      "ECC_NIST_EDWARDS25519 SIGN_VERIFY",
      "ECC_NIST_P521 KEY_AGREEMENT",
      "SYMMETRIC_DEFAULT ENCRYPT_DECRYPT",
      "HMAC_256 GENERATE_VERIFY_MAC",
      "RSA_2048 SIGN_VERIFY",
      "ML_DSA_44 SIGN_VERIFY",
    ]);
    const mac = { KeyId: keyOf(6), Message: Buffer.from("m"), MacAlgorithm: "HMAC_SHA_256" } as const;
    const first = await control.call("GenerateMac", mac);
    const second = await engineOf({
      keyId: keyOf(6),
      keySpec: "HMAC_256",
      secret: Buffer.alloc(32, 9).toString("base64"),
    }).control.call("GenerateMac", mac);
    assert.deepEqual(first.Mac, second.Mac, "the same secret makes the same MAC");
  });

  it("have states, Regions, accounts, policies; a key that is pending deletion is deleted at its date", async () => {
    const policy = {
      Version: "2012-10-17",
      Statement: { Effect: "Allow", Principal: "*", Action: "kms:*", Resource: "*" },
    };
    const { control } = engineOf(
      { keyId: keyOf(1), state: "Disabled", region: "eu-west-1", account: "444455556666", policy },
      { keyId: keyOf(2), state: "PendingDeletion", pendingWindowInDays: 7, aliases: ["alias/ending"] },
      { keyId: `mrk-${"0a".repeat(16)}`, keySpec: "ECC_NIST_P256" },
      { keySpec: "ECC_NIST_P256", multiRegion: true, aliases: ["alias/made-up"] },
    );
    const there = { region: "eu-west-1", account: "444455556666" };
    const disabled = await control.call("DescribeKey", { KeyId: keyOf(1) }, there);
    assert.equal(disabled.KeyMetadata.KeyState, "Disabled");
    const { Policy } = await control.call("GetKeyPolicy", { KeyId: keyOf(1) }, there);
    assert.deepEqual(JSON.parse(Policy), policy);
    const replicated = await control.call("ReplicateKey", {
      KeyId: `mrk-${"0a".repeat(16)}`,
      ReplicaRegion: "eu-west-2",
    });
    assert.equal(replicated.ReplicaKeyMetadata.KeyState, "Creating");
    const madeUp = await control.call("DescribeKey", { KeyId: "alias/made-up" });
    assert.match(madeUp.KeyMetadata.KeyId, /^mrk-[0-9a-f]{32}$/);
    control.advance(7 * dayMs);
    await assert.rejects(control.call("DescribeKey", { KeyId: keyOf(2) }), { name: "NotFoundException" });
  });

  it("come back with a reset, and nothing else does", async () => {
    const { control } = engineOf({ keyId, aliases: ["alias/seed"] });
    await control.call("CreateKey", {});
    await control.call("DeleteAlias", { AliasName: "alias/seed" });
    control.addFault({ kind: "error", name: "KMSInternalException" });
    const pause = control.pause({ operation: "Sign", when: "before" });
    control.reset();
    assert.deepEqual(control.journal(), []);
    await assert.rejects(pause.reached, { code: "CLOSED", message: "the emulator was reset" });
    const { Keys } = await control.call("ListKeys", {});
    assert.deepEqual(
      Keys.map(({ KeyId }) => KeyId),
      [keyId],
    );
    const { Aliases } = await control.call("ListAliases", {});
    assert.deepEqual(
      Aliases.map(({ AliasName }) => AliasName),
      ["alias/seed"],
    );
  });

  it("come from a file, with private keys in files beside it; a data file that holds keys goes before them", async (t) => {
    const folder = temporaryFolder(t);
    mkdirSync(join(folder, "keys"));
    const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
    writeFileSync(join(folder, "keys", "ca.pem"), privateKey.export(pem).toString());
    const seedFile = join(folder, "seeds.json");
    const dataFile = join(folder, "data");
    writeFileSync(
      seedFile,
      JSON.stringify({ $schema: "x", keys: [{ keyId, privateKeyFile: "keys/ca.pem", aliases: ["alias/ca"] }] }),
    );
    const first = await startEmulator({ seedFile, dataFile });
    await first.control.call("DeleteAlias", { AliasName: "alias/ca" });
    await first.close();
    const second = await startEmulator({ seedFile, dataFile, awsManagedAliases: false });
    assert.deepEqual((await second.control.call("ListAliases", {})).Aliases, []);
    assert.equal((await second.control.call("ListKeys", {})).Keys.length, 1);
    await second.close();
    const process = startProcess(t, ["--seed-file", seedFile, "--control", "127.0.0.1:0"]);
    const [, line = ""] = await process.lines(2);
    const { control } = JSON.parse(line) as { control: string };
    const body = JSON.stringify({ operation: "DescribeKey", input: { KeyId: "alias/ca" } });
    const answer = (await (await fetch(`${control}/call`, { method: "POST", body })).json()) as {
      output: { KeyMetadata: { KeyId: string } };
    };
    assert.equal(answer.output.KeyMetadata.KeyId, keyId);
    assert.equal((await fetch(`${control}/reset`, { method: "POST" })).status, 200);
  });

  const rsaPem = generateKeyPairSync("rsa", { modulusLength: 1024 }).privateKey.export(pem).toString();
  const wrong: readonly (readonly [seeds: unknown, message: RegExp])[] = [
    [[], /seeds: the file: must be an object/],
    [{}, /seeds: the file: must have "keys", a list of keys/],
    [{ key: [] }, /seeds: the file: there is no key; did you mean keys\?/],
    [{ keys: {} }, /seeds: the file\.keys: must be a list/],
    [{ keys: ["x"] }, /seeds: keys\[0\]: must be an object/],
    [{ keys: [{}, { keyID: keyId }] }, /seeds: keys\[1\]: there is no keyID; did you mean keyId\?/],
    [{ keys: [{ keyId: "my-key" }] }, /keys\[0\]\.keyId: "my-key" must be a UUID in lower case, or mrk-/],
    [{ keys: [{ keyId, multiRegion: true }] }, /keys\[0\]\.keyId: .* must be mrk- and 32 hex digits/],
    [{ keys: [{ keyId }, { keyId }] }, /keys\[1\]\.keyId: 1234abcd-\S+ is there twice/],
    [
      { keys: [{ keySpec: "ECC_NIST_P265" }] },
      /keys\[0\]\.keySpec: there is no ECC_NIST_P265; did you mean ECC_NIST_P256\?/,
    ],
    [{ keys: [{ keySpec: "SM2" }] }, /keys\[0\]\.keySpec: the emulator has no cryptography for SM2/],
    [
      { keys: [{ keySpec: "RSA_2048", keyUsage: "KEY_AGREEMENT" }] },
      /keys\[0\]\.keyUsage: RSA_2048 has no KEY_AGREEMENT; it has /,
    ],
    [
      { keys: [{ privateKey: "hunter2" }] },
      /keys\[0\]\.privateKey: is no private key in PEM form that is not encrypted$/,
    ],
    [{ keys: [{ privateKey: rsaPem }] }, /keys\[0\]\.privateKey: is a key of a kind or size that KMS does not have/],
    [
      { keys: [{ privateKey: rsaPem, keySpec: "ECC_NIST_P256" }] },
      /keys\[0\]\.privateKey: is not a key of spec ECC_NIST_P256/,
    ],
    [{ keys: [{ privateKeyFile: "/nowhere/key.pem" }] }, /keys\[0\]\.privateKeyFile: cannot be read: ENOENT/],
    [
      { keys: [{ secret: "hunter2" }] },
      /keys\[0\]\.secret: must be base64 of a key of the length that SYMMETRIC_DEFAULT has$/,
    ],
    [{ keys: [{ secret: "AAAA", keySpec: "RSA_2048" }] }, /keys\[0\]\.secret: is not for RSA_2048; give a privateKey/],
    [{ keys: [{ secret: "AAAA", privateKey: rsaPem }] }, /keys\[0\]: has a private key and a secret; give one of them/],
    [{ keys: [{ ageDays: -1 }] }, /keys\[0\]\.ageDays: must be a number of days, 0 or more/],
    [{ keys: [{ state: "Removed" }] }, /keys\[0\]\.state: must be Enabled, Disabled or PendingDeletion/],
    [{ keys: [{ pendingWindowInDays: 7 }] }, /keys\[0\]\.pendingWindowInDays: is only for the state PendingDeletion/],
    [{ keys: [{ region: "mars" }] }, /keys\[0\]\.region: "mars" is not the name of a Region/],
    [{ keys: [{ account: "1" }] }, /keys\[0\]\.account: "1" is not 12 digits/],
    [{ keys: [{ tags: { "aws:x": "y" } }] }, /keys\[0\]\.tags: "aws:x" cannot be a tag/],
    [{ keys: [{ tags: { x: 1 } }] }, /keys\[0\]\.tags: must be an object of texts/],
    [{ keys: [{ policy: "{}" }] }, /keys\[0\]\.policy: Policy must have a statement/],
    [{ keys: [{ aliases: ["x"] }] }, /keys\[0\]\.aliases\[0\]: "x" must be alias\/ and letters/],
    [{ keys: [{ aliases: [{ nam: "x" }] }] }, /keys\[0\]\.aliases\[0\]: there is no nam; did you mean name\?/],
    [{ keys: [{ aliases: [{ ageDays: 1 }] }] }, /keys\[0\]\.aliases\[0\]: must have a name/],
    [{ keys: [{ aliases: ["alias/a", "alias/a"] }] }, /keys\[0\]\.aliases\[1\]: alias\/a is there twice/],
    [{ keys: [{ aliases: [{ name: "alias/a", ageDays: 5 }] }] }, /keys\[0\]\.aliases\[0\]: is older than its key/],
    [
      { keys: [{ ageDays: 9, aliases: [{ name: "alias/a", ageDays: 5, updatedDaysAgo: 6 }] }] },
      /was updated before it was made/,
    ],
  ];

  it("that cannot be are refused with the place and what is wrong, and no secret", async (t) => {
    const seedFile = join(temporaryFolder(t), "seeds.json");
    for (const [seeds, message] of wrong) {
      writeFileSync(seedFile, JSON.stringify(seeds));
      const problem = await startEmulator({ seedFile }).then(
        (emulator) => emulator.close(),
        (error: unknown) => error as Error & { code: string },
      );
      assert.ok(problem instanceof Error, `${JSON.stringify(seeds)} was taken`);
      assert.equal(problem.code, "INVALID_SEEDS");
      assert.match(problem.message, message);
      assert.doesNotMatch(`${problem.message}${problem.stack}`, /hunter2|BEGIN/);
    }
    writeFileSync(seedFile, "{");
    await assert.rejects(startEmulator({ seedFile }), {
      code: "INVALID_SEEDS",
      message: /seeds\.json: cannot be read as JSON/,
    });
  });
});

function keyOf(index: number): string {
  return `1234abcd-12ab-34cd-56ef-00000000000${index}`;
}
