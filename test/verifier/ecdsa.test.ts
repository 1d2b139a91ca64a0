/** ECDSA: what is accepted and what is refused, at the edges of the arithmetic and of the encoding. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readEcdsaSignature } from "../../src/key-manager/signing/ecdsa/ecdsa-signature.ts";
import { signatureVerifier } from "../../src/key-manager/signing/signature-verifier.ts";
import {
  borderCases,
  type CurveName,
  derOf,
  encodingCases,
  libraryCurves,
  meetingCases,
  numberCases,
  octets,
  publicKeyOf,
} from "./ecdsa-cases.ts";

const curves = ["P-256", "P-384"] as const;
const algorithmOf = { "P-256": "ECDSA_SHA_256", "P-384": "ECDSA_SHA_384" } as const;

/** Numbers from 1 to n − 1, and those at the borders. */
const scalars = (curve: CurveName) => {
  const { ORDER } = libraryCurves[curve].Point.Fn;
  return fc.oneof(
    fc.bigInt(1n, ORDER - 1n),
    fc.bigInt(1n, 4n),
    fc.bigInt(1n, 4n).map((near) => ORDER - near),
  );
};

describe("ECDSA verification", () => {
  for (const curve of curves) {
    const [number = 0n, nonce = 0n, hash = 0n] = [3n, 5n, 7n].map(
      (seed) => seed ** 200n % (libraryCurves[curve].Point.Fn.ORDER - 1n),
    );
    const cases = [
      ...numberCases(curve, number, nonce, hash),
      // Private key 1: Q is G itself.
      ...numberCases(curve, 1n, nonce, hash).map((entry) => ({ ...entry, name: `${entry.name}, Q = G` })),
      ...meetingCases(curve, number, nonce),
      ...borderCases(curve, hash, nonce),
      ...encodingCases(curve, number, nonce, hash),
    ];
    for (const { name, publicKey, digest, signature, isValid } of cases)
      it(`${isValid ? "accepts" : "refuses"} ${name}`, () => {
        assert.equal(signatureVerifier(publicKey)(algorithmOf[curve], digest, signature), isValid);
      });

    it(`agrees with a curve library on ${curve}, whatever d, k, e and the change`, () => {
      const library = libraryCurves[curve];
      const { Fn, Fp, BASE } = library.Point;
      const inputs = fc.record({
        d: scalars(curve),
        k: scalars(curve),
        e: fc.oneof(scalars(curve), fc.bigInt(0n, (1n << BigInt(8 * Fp.BYTES)) - 1n)),
        by: fc.constantFrom(0n, 0n, 1n, -1n),
      });
      const property = fc.property(inputs, ({ d, k, e, by }) => {
        const Q = BASE.multiply(d);
        const r = Fn.create(BASE.multiply(k).toAffine().x);
        const s = Fn.create(Fn.div(Fn.create(e + r * d), k) + by);
        fc.pre(s !== 0n);
        const digest = octets(e, Fp.BYTES);
        const compact = new Uint8Array(Buffer.concat([octets(r, Fp.BYTES), octets(s, Fp.BYTES)]));
        const expected = library.verify(compact, new Uint8Array(digest), Q.toBytes(false), {
          prehash: false,
          lowS: false,
        });
        assert.equal(signatureVerifier(publicKeyOf(curve, Q))(algorithmOf[curve], digest, derOf(r, s)), expected);
      });
      fc.assert(property, { seed: 20_261_125, numRuns: 60 });
    });

    it(`takes the leftmost bits of a longer digest on ${curve}, and a shorter one as it is`, () => {
      const [plain] = numberCases(curve, number, nonce, hash);
      assert.ok(plain !== undefined);
      const verify = signatureVerifier(plain.publicKey);
      const longer = Buffer.concat([plain.digest, Buffer.alloc(16, 0xff)]);
      assert.equal(verify(algorithmOf[curve], longer, plain.signature), true);
      assert.equal(verify(algorithmOf[curve], Buffer.concat([Buffer.alloc(1), plain.digest]), plain.signature), false);
      const [small] = numberCases(curve, number, nonce, 0xabcdn);
      assert.ok(small !== undefined);
      assert.equal(
        signatureVerifier(small.publicKey)(algorithmOf[curve], Buffer.from("abcd", "hex"), small.signature),
        true,
      );
    });

    it(`reads only DER on ${curve}: what it reads, written again, is what it read`, () => {
      const { ORDER } = libraryCurves[curve].Point.Fn;
      const number = fc.oneof(fc.bigInt(0n, ORDER), fc.bigInt(0n, 300n));
      const change = fc.record({
        at: fc.nat(1_000),
        to: fc.integer({ min: 0, max: 255 }),
      });
      let changed = 0;
      const property = fc.property(number, number, fc.array(change, { maxLength: 2 }), (r, s, changes) => {
        const der = derOf(r, s);
        for (const { at, to } of changes) der[at % der.length] = to;
        const numbers = readEcdsaSignature(der);
        if (changes.length === 0) assert.deepEqual(numbers, { r, s });
        if (numbers === undefined) return;
        assert.deepEqual(derOf(numbers.r, numbers.s), der);
        changed += changes.length;
      });
      fc.assert(property, { seed: 20_261_125, numRuns: 3_000 });
      assert.ok(changed > 100);
    });

    it(`refuses a signature on ${curve} that is asked for as RSA's`, () => {
      const [plain] = numberCases(curve, number, nonce, hash);
      assert.ok(plain !== undefined);
      const verify = signatureVerifier(plain.publicKey);
      assert.equal(verify("RSASSA_PKCS1_V1_5_SHA_256", plain.digest, plain.signature), false);
    });
  }
});
