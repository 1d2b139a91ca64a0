import { X509Certificate } from "node:crypto";
import { id_mgf1, id_RSASSA_PSS, id_sha256, id_sha384, id_sha512, RsaSaPssParams } from "@peculiar/asn1-rsa";
import { AsnConvert } from "@peculiar/asn1-schema";
import { AlgorithmIdentifier } from "@peculiar/asn1-x509";
import type { PublicKey } from "../../../src/plugin-sdk/index.ts";
import { ecdsaAlgorithm, rsaAlgorithm } from "../../../src/x509/certificate.ts";
import { type Authority, issueSvid, type SvidRequest } from "../../../src/x509/svid.ts";
import { type HashName, type Padding, signMessage } from "./signing.ts";
import type { TestPlugin } from "./test-plugin.ts";

const hashIds: Readonly<Record<HashName, string>> = { sha256: id_sha256, sha384: id_sha384, sha512: id_sha512 };
const saltLengths: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 };

/** RSASSA-PSS as RFC 4055 writes it: MGF1 over the same hash, a salt as long as the digest. */
function pssAlgorithm(hash: HashName): AlgorithmIdentifier {
  const hashAlgorithm = new AlgorithmIdentifier({ algorithm: hashIds[hash], parameters: null });
  const parameters = new RsaSaPssParams({
    hashAlgorithm,
    maskGenAlgorithm: new AlgorithmIdentifier({ algorithm: id_mgf1, parameters: AsnConvert.serialize(hashAlgorithm) }),
    saltLength: saltLengths[hash],
  });
  return new AlgorithmIdentifier({ algorithm: id_RSASSA_PSS, parameters: AsnConvert.serialize(parameters) });
}

interface SignatureKind {
  readonly hash: HashName;
  readonly padding: Padding;
  readonly algorithm: AlgorithmIdentifier;
}

/** How certificates are signed, by key family and hash. */
export const signatures = {
  "ec sha256": { hash: "sha256", padding: "pkcs1", algorithm: ecdsaAlgorithm("sha256") },
  "ec sha384": { hash: "sha384", padding: "pkcs1", algorithm: ecdsaAlgorithm("sha384") },
  "ec sha512": { hash: "sha512", padding: "pkcs1", algorithm: ecdsaAlgorithm("sha512") },
  "rsa sha256": { hash: "sha256", padding: "pkcs1", algorithm: rsaAlgorithm("sha256") },
  "rsa sha384": { hash: "sha384", padding: "pkcs1", algorithm: rsaAlgorithm("sha384") },
  "rsa sha512": { hash: "sha512", padding: "pkcs1", algorithm: rsaAlgorithm("sha512") },
  "rsa-pss sha256": { hash: "sha256", padding: "pss", algorithm: pssAlgorithm("sha256") },
  "rsa-pss sha384": { hash: "sha384", padding: "pss", algorithm: pssAlgorithm("sha384") },
  "rsa-pss sha512": { hash: "sha512", padding: "pss", algorithm: pssAlgorithm("sha512") },
} as const satisfies Readonly<Record<string, SignatureKind>>;

export type SignatureName = keyof typeof signatures;

const dayMs = 86_400_000;

/** An authority over one of the plugin's keys, as SPIRE's CA is. */
export function issuerOf(plugin: TestPlugin, key: PublicKey, name: SignatureName): Authority {
  const { hash, padding, algorithm } = signatures[name];
  return {
    commonName: `CA ${key.id}`,
    pkixData: key.pkixData,
    signatureAlgorithm: algorithm,
    sign: async (tbs) => (await signMessage(plugin, key.id, tbs, hash, padding)).signature,
  };
}

async function issue(issuer: Authority, request: Pick<SvidRequest, "commonName" | "pkixData" | "isCa">) {
  const now = Date.now();
  const dates = { notBefore: new Date(now - dayMs), notAfter: new Date(now + dayMs) };
  return new X509Certificate(await issueSvid({ ...request, ...dates }, issuer));
}

export async function issueSelfSigned(plugin: TestPlugin, key: PublicKey, name: SignatureName) {
  const issuer = issuerOf(plugin, key, name);
  return issue(issuer, { commonName: issuer.commonName, pkixData: issuer.pkixData, isCa: true });
}

/** A certificate for another key. */
export async function issueLeaf(plugin: TestPlugin, key: PublicKey, name: SignatureName, leafPkixData: Uint8Array) {
  return issue(issuerOf(plugin, key, name), { commonName: "leaf", pkixData: leafPkixData, isCa: false });
}
