/**
 * What checking a signature costs, for each type of key: `npm run bench:verify -- [rounds]`.
 *
 * CPU time of this process. The way with tables and the slower way are measured in turn, round by round, on the same 100
 * signatures; what a table costs is measured on five keys in a process whose module is there, and on the first of all.
 */
import { constants, createHash, generateKeyPairSync, type KeyObject, sign } from "node:crypto";
import { cpus, loadavg } from "node:os";
import type { SigningAlgorithmSpec } from "../src/key-manager/ports.ts";
import { type Curve, p256, p384 } from "../src/key-manager/signing/ecdsa/curve.ts";
import { type EcdsaVerifier, ecdsaVerifier } from "../src/key-manager/signing/ecdsa/ecdsa-verifier.ts";
import { CurveTables } from "../src/key-manager/signing/ecdsa/tables/curve-tables.ts";
import { tableBytesOf, windowBitsOf } from "../src/key-manager/signing/ecdsa/tables/point-table.ts";
import { rsaVerifier } from "../src/key-manager/signing/rsa-verifier.ts";

const rounds = Number(process.argv[2] ?? 9);

interface Sample {
  readonly digest: Uint8Array;
  readonly signature: Uint8Array;
}

function samplesOf(privateKey: KeyObject, hash: string, options: object = {}): readonly Sample[] {
  return Array.from({ length: 100 }, (_, index) => {
    const data = Buffer.from(`message ${index}`);
    const signature = sign(hash, data, { key: privateKey, ...options });
    return { digest: createHash(hash).update(data).digest(), signature };
  });
}

function cpuMicroseconds(run: () => void): number {
  const before = process.cpuUsage();
  run();
  const { user, system } = process.cpuUsage(before);
  return user + system;
}

const spread = (values: readonly number[], digits = 0): string => {
  const sorted = values.toSorted((a, b) => a - b);
  return [0, sorted.length >> 1, sorted.length - 1].map((at) => sorted[at]?.toFixed(digits)).join(" / ");
};

/** CPU µs a verification; each round goes over the samples as often as takes some 20 ms. */
function measure(verifiers: readonly EcdsaVerifier[], samples: readonly Sample[]): number[][] {
  const once = (verify: EcdsaVerifier) =>
    cpuMicroseconds(() => {
      for (const { digest, signature } of samples) if (!verify(digest, signature)) throw new Error("refused");
    });
  const repetitions = verifiers.map((verify) => Math.ceil(20_000 / Math.min(once(verify), once(verify))));
  const results: number[][] = verifiers.map(() => []);
  for (let round = 0; round < rounds; round++) {
    for (const [index, verify] of verifiers.entries()) {
      const times = repetitions[index] ?? 1;
      let sum = 0;
      for (let repetition = 0; repetition < times; repetition++) sum += once(verify);
      results[index]?.push(sum / (times * samples.length));
    }
  }
  return results;
}

interface Build {
  readonly milliseconds: number;
  readonly slices: number;
  readonly longestMs: number;
}

/** Lets a key sign once and runs the slices that build its table. */
function build(key: KeyObject, sample: Sample, tables: CurveTables, jobs: (() => void)[]): Build {
  ecdsaVerifier(key, () => tables)(sample.digest, sample.signature);
  const slices: number[] = [];
  for (let job = jobs.shift(); job !== undefined; job = jobs.shift()) slices.push(cpuMicroseconds(job) / 1_000);
  const milliseconds = slices.reduce((sum, slice) => sum + slice, 0);
  return { milliseconds, slices: slices.length, longestMs: Math.max(...slices) };
}

function benchEc(name: string, curve: Curve, hash: string): void {
  const jobs: (() => void)[] = [];
  const schedule = (job: () => void) => void jobs.push(job);
  const tables = new CurveTables(curve, { schedule, maxKeys: 8, signaturesBefore: 1 });
  const keys = Array.from({ length: 6 }, () => generateKeyPairSync("ec", { namedCurve: curve.openSslName }));
  const builds = keys.map(({ publicKey, privateKey }) => {
    const [sample] = samplesOf(privateKey, hash);
    if (sample === undefined) throw new Error("no sample");
    return build(publicKey, sample, tables, jobs);
  });
  const [pair] = keys;
  if (pair === undefined) throw new Error("no key");
  const none = new CurveTables(curve, { schedule, maxKeys: 0, signaturesBefore: 1 });
  const verifiers = [tables, none].map((those) => ecdsaVerifier(pair.publicKey, () => those));
  const [fast = [], slow = []] = measure(verifiers, samplesOf(pair.privateKey, hash));
  const ratios = slow.map((value, round) => value / (fast[round] ?? Number.NaN));
  const [first, ...others] = builds;
  console.log(`${name}  µs a verification, with tables   ${spread(fast, 1)}`);
  console.log(`${name}  µs a verification, slower way    ${spread(slow, 1)}`);
  console.log(`${name}  slower way ÷ with tables         ${spread(ratios, 1)}`);
  console.log(
    `${name}  a key's table, ms                ${spread(
      others.map(({ milliseconds }) => milliseconds),
      1,
    )}`,
  );
  console.log(
    `${name}  longest slice of it, ms          ${spread(
      others.map(({ longestMs }) => longestMs),
      2,
    )}`,
  );
  console.log(
    `${name}  the first, with module and G     ${first?.milliseconds.toFixed(1)} ms in ${first?.slices} slices, longest ${first?.longestMs.toFixed(1)} ms`,
  );
  console.log(
    `${name}  memory of a table                ${(tableBytesOf(curve, windowBitsOf.key) / 1_000).toFixed(0)} kB`,
  );
}

function benchRsa(bits: number): void {
  const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: bits });
  const verify = rsaVerifier(publicKey);
  const over =
    (algorithm: SigningAlgorithmSpec): EcdsaVerifier =>
    (digest, signature) =>
      verify(algorithm, digest, signature);
  const pss = { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 32 };
  for (const [form, algorithm, options] of [
    ["PKCS#1", "RSASSA_PKCS1_V1_5_SHA_256", {}],
    ["PSS   ", "RSASSA_PSS_SHA_256", pss],
  ] as const) {
    const [times = []] = measure([over(algorithm)], samplesOf(privateKey, "sha256", options));
    console.log(`RSA-${bits} ${form}  µs a verification         ${spread(times, 1)}`);
  }
}

const [load = 0] = loadavg();
console.log(
  `Node ${process.version}, ${cpus()[0]?.model} × ${cpus().length}, load ${load.toFixed(1)}; ${rounds} rounds, min / median / max of CPU time`,
);
benchEc("P-256", p256, "sha256");
benchEc("P-384", p384, "sha384");
benchRsa(2048);
benchRsa(4096);
