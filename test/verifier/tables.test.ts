/** Verification with tables: the same verdicts as the slower way, and what happens until the tables are ready. */
import assert from "node:assert/strict";
import { createHash, generateKeyPairSync, sign } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { integerOf } from "../../src/key-manager/signing/ecdsa/curve.ts";
import { readEcdsaSignature } from "../../src/key-manager/signing/ecdsa/ecdsa-signature.ts";
import { ecdsaVerifier } from "../../src/key-manager/signing/ecdsa/ecdsa-verifier.ts";
import { openSslCheck } from "../../src/key-manager/signing/ecdsa/openssl-check.ts";
import { CurveTables, type Numbers, tableKey } from "../../src/key-manager/signing/ecdsa/tables/curve-tables.ts";
import { windowBitsOf, windowsOf } from "../../src/key-manager/signing/ecdsa/tables/point-table.ts";
import { borderCases, libraryCurves, meetingCases, numberCases, type SignatureCase } from "./ecdsa-cases.ts";
import { curves, pointOf, tableCheckOf } from "./table-fixture.ts";

const seed = 20_261_125;
const curveNames = ["P-256", "P-384"] as const;

/** Jobs that run when the test says so. */
class Jobs {
  readonly #jobs: (() => void)[] = [];

  readonly schedule = (job: () => void): void => {
    this.#jobs.push(job);
  };

  runOne(): boolean {
    const job = this.#jobs.shift();
    job?.();
    return job !== undefined;
  }

  runAll(): number {
    let count = 0;
    while (this.runOne()) count++;
    return count;
  }
}

for (const name of curveNames) {
  const curve = curves[name];
  const { n, bytes } = curve;
  const numbersOf = ({ digest, signature }: Pick<SignatureCase, "digest" | "signature">): Numbers | undefined => {
    const { r, s } = readEcdsaSignature(signature) ?? { r: 0n, s: 0n };
    if (r <= 0n || r >= n || s <= 0n || s >= n) return undefined;
    return [integerOf(digest.subarray(0, bytes)) % n, r, s];
  };

  describe(`verification with tables on ${name}`, () => {
    it("has the right verdict at the edges, or none where the points do not add", () => {
      const [d = 0n, k = 0n, e = 0n] = [3n, 5n, 7n].map((base) => base ** 200n % n);
      const cases = [...numberCases(name, d, k, e), ...numberCases(name, 1n, k, e), ...borderCases(name, e, k)];
      let decided = 0;
      for (const entry of cases) {
        const numbers = numbersOf(entry);
        if (numbers === undefined) continue;
        const verdict = tableCheckOf(curve, pointOf(entry.publicKey))(numbers);
        if (verdict === undefined) assert.match(entry.name, /infinity/);
        else assert.equal(verdict, entry.isValid, entry.name);
        if (verdict !== undefined) decided++;
      }
      assert.ok(decided > 40);
    });

    it("has no verdict where points meet in the sum", () => {
      const [d = 0n, k = 0n] = [3n, 5n].map((base) => base ** 200n % n);
      const cases = meetingCases(name, d, k);
      assert.ok(cases.length >= 14);
      for (const entry of cases) {
        const numbers = numbersOf(entry);
        assert.ok(numbers !== undefined);
        assert.equal(tableCheckOf(curve, pointOf(entry.publicKey))(numbers), undefined, entry.name);
      }
    });

    it("agrees with the slower way, whatever e, r, s and the key", () => {
      const { Fn, BASE } = libraryCurves[name].Point;
      const scalar = fc.oneof(
        fc.bigInt(1n, n - 1n),
        fc.bigInt(1n, 300n),
        fc.bigInt(1n, 300n).map((by) => n - by),
      );
      let accepted = 0;
      for (const d of [1n, 2n, n - 1n, n / 3n]) {
        const point = BASE.multiply(d).toAffine();
        const check = tableCheckOf(curve, point);
        const slow = openSslCheck(curve, point);
        const inputs = fc.record({ k: scalar, e: fc.oneof(scalar, fc.constant(0n)), by: fc.constantFrom(0n, 0n, 1n) });
        const property = fc.property(inputs, ({ k, e, by }) => {
          const r = Fn.create(BASE.multiply(k).toAffine().x);
          const s = Fn.create(Fn.div(Fn.create(e + r * d), k) + by);
          fc.pre(s !== 0n && r !== 0n);
          const verdict = check([e, r, s]);
          if (verdict === undefined) return;
          assert.equal(verdict, slow(e, r, s));
          if (verdict) accepted++;
        });
        fc.assert(property, { seed, numRuns: name === "P-256" ? 120 : 50 });
      }
      assert.ok(accepted > 50, "valid ones were among them");
    });
  });

  describe(`tables of ${name}`, () => {
    const hash = name === "P-256" ? "sha256" : "sha384";

    /** A key, its verifier over the given tables, and signatures of it that are right and wrong. */
    function signer(tables: CurveTables) {
      const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: curve.openSslName });
      const verify = ecdsaVerifier(publicKey, () => tables);
      let count = 0;
      const checkOne = () => {
        const data = Buffer.from(`message ${count++}`);
        const digest = createHash(hash).update(data).digest();
        const signature = sign(hash, data, privateKey);
        assert.equal(verify(digest, signature), true);
        digest[0] = (digest[0] ?? 0) ^ 1;
        assert.equal(verify(digest, signature), false);
      };
      return { checkOne, key: tableKey(pointOf(publicKey)) };
    }

    const options = { maxKeys: 2, signaturesBefore: 3 };

    it("are built after some signatures, in many small steps, while the slower way serves", () => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, schedule: jobs.schedule });
      const { checkOne, key } = signer(tables);
      checkOne();
      checkOne();
      assert.equal(jobs.runAll(), 0, "two signatures are too few");
      checkOne();
      let slices = 0;
      while (jobs.runOne()) {
        slices++;
        if (slices % 16 === 0) checkOne();
      }
      assert.ok(
        slices >= windowsOf(curve, windowBitsOf.generator) + windowsOf(curve, windowBitsOf.key),
        "a slice is no more than one window",
      );
      assert.equal(tables.isReady(key), true);
      for (let round = 0; round < 5; round++) checkOne();
    });

    it("are shared by all who verify with the same key", () => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, schedule: jobs.schedule });
      const { checkOne, key } = signer(tables);
      for (let round = 0; round < 3; round++) checkOne();
      jobs.runAll();
      assert.equal(tables.isReady(tableKey(key.point)), true);
      const negative = { x: key.point.x, y: curve.p - key.point.y };
      assert.equal(tables.isReady(tableKey(negative)), false, "-Q is another key");
    });

    it("are few: a further key takes the place of one that has not signed for long", () => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, schedule: jobs.schedule });
      const [first, second, third] = [signer(tables), signer(tables), signer(tables)];
      for (const { checkOne } of [first, second, third]) for (let round = 0; round < 3; round++) checkOne();
      jobs.runAll();
      assert.deepEqual(
        [first, second, third].map(({ key }) => tables.isReady(key)),
        [true, true, false],
      );
      for (let round = 0; round < 60; round++) second.checkOne();
      third.checkOne();
      first.checkOne();
      jobs.runAll();
      assert.deepEqual(
        [first, second, third].map(({ key }) => tables.isReady(key)),
        [false, true, true],
      );
      for (const { checkOne } of [first, second, third]) checkOne();
    });

    it("are not used again once they have refused what is valid", () => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, schedule: jobs.schedule });
      const { checkOne, key } = signer(tables);
      for (let round = 0; round < 3; round++) checkOne();
      jobs.runAll();
      tables.report(key, [1n, 1n, 1n], false);
      assert.equal(tables.isReady(key), false);
      for (let round = 0; round < 4; round++) checkOne();
      assert.equal(jobs.runAll(), 0);
    });

    it("have no say when they fail", () => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, schedule: jobs.schedule });
      const { checkOne } = signer(tables);
      tables.check = () => {
        throw new Error("broken");
      };
      for (let round = 0; round < 3; round++) checkOne();
    });

    it("do not come to use when they do not agree on the signature that asked for them", () => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, signaturesBefore: 1, schedule: jobs.schedule });
      const { checkOne, key } = signer(tables);
      tables.report(key, [1n, 1n, 1n], undefined);
      jobs.runAll();
      assert.equal(tables.isReady(key), false);
      checkOne();
    });

    it("are left alone where WebAssembly is missing", (t) => {
      const jobs = new Jobs();
      const tables = new CurveTables(curve, { ...options, schedule: jobs.schedule });
      const { checkOne, key } = signer(tables);
      const { WebAssembly } = globalThis as { WebAssembly?: unknown };
      t.after(() => Reflect.set(globalThis, "WebAssembly", WebAssembly));
      Reflect.deleteProperty(globalThis, "WebAssembly");
      for (let round = 0; round < 5; round++) checkOne();
      assert.equal(jobs.runAll(), 1);
      assert.equal(tables.isReady(key), false);
      for (let round = 0; round < 5; round++) checkOne();
      assert.equal(jobs.runAll(), 0, "it is tried once");
    });
  });
}
