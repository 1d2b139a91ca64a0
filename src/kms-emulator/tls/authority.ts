/** A certificate authority of the emulator's own, and the server's certificate by it. */
import { createPublicKey, generateKeyPairSync, type KeyObject, randomBytes, sign } from "node:crypto";
import { ecdsaAlgorithm, type Issuer, signCertificate } from "../../x509/certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../../x509/extensions.ts";
import { isAddress } from "./names.ts";

export interface Authority {
  readonly commonName: string;
  readonly certificatePem: string;
  readonly privateKey: KeyObject;
}

/** What a server presents. */
export interface ServerIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/** Some clients refuse certificates of servers that are good for longer. */
const serverDays = 397;
const authorityDays = 3_650;

const spki = (key: KeyObject): Uint8Array => createPublicKey(key).export({ type: "spki", format: "der" });

const newKey = (): KeyObject => generateKeyPairSync("ec", { namedCurve: "P-256" }).privateKey;

const issuerOf = (commonName: string, privateKey: KeyObject): Issuer => ({
  commonName,
  signatureAlgorithm: ecdsaAlgorithm("sha256"),
  sign: async (tbsCertificate) => sign("sha256", tbsCertificate, privateKey),
});

function pem(der: Uint8Array): string {
  const lines = Buffer.from(der)
    .toString("base64")
    .replace(/.{64}(?=.)/g, "$&\n");
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`;
}

/** An hour back, for clients whose clock is late. */
const validity = (nowMs: number, days: number) => ({
  notBefore: new Date(nowMs - hourMs),
  notAfter: new Date(nowMs + days * dayMs),
});

export async function createAuthority(nowMs: number): Promise<Authority> {
  const privateKey = newKey();
  // Two of them may stand in one bundle, so each has a name of its own.
  const commonName = `AWS KMS emulator ${randomBytes(4).toString("hex")}`;
  const pkixData = spki(privateKey);
  const extensions = [basicConstraints(true), keyUsage("keyCertSign", "cRLSign"), subjectKeyIdentifier(pkixData)];
  const content = { commonName, pkixData, ...validity(nowMs, authorityDays), extensions };
  const certificate = await signCertificate(content, issuerOf(commonName, privateKey));
  return { commonName, certificatePem: pem(certificate), privateKey };
}

/** @param names DNS names and addresses, at least one */
export async function issueServerIdentity(
  authority: Authority,
  names: readonly string[],
  nowMs: number,
): Promise<ServerIdentity> {
  const privateKey = newKey();
  const pkixData = spki(privateKey);
  const extensions = [
    basicConstraints(false),
    keyUsage("digitalSignature"),
    extendedKeyUsage("serverAuth"),
    subjectAltName(...names.map((name) => (isAddress(name) ? { ipAddress: name } : { dnsName: name }))),
    subjectKeyIdentifier(pkixData),
    authorityKeyIdentifier(spki(authority.privateKey)),
  ];
  const content = { commonName: "AWS KMS emulator", pkixData, ...validity(nowMs, serverDays), extensions };
  const certificate = await signCertificate(content, issuerOf(authority.commonName, authority.privateKey));
  return {
    certificatePem: pem(certificate),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}
