/**
 * AutoMTLS: the certificate that one side makes for one connection, and the check of the other side's. Loaded only
 * when it is asked for.
 */
import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign, X509Certificate } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  BasicConstraints,
  Certificate,
  ExtendedKeyUsage,
  Extension,
  Extensions,
  GeneralName,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyUsage,
  KeyUsageFlags,
  Name,
  RelativeDistinguishedName,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";
import { GoPluginError } from "./errors.ts";
import { autoMtlsServerName } from "./tls-identity.ts";

const ecdsaWithSha256 = "1.2.840.10045.4.3.2";
const commonName = "2.5.4.3";

/** Clocks step back a little after a boot; the peer checks the dates at every new connection. */
const backdateMs = 60 * 60 * 1000;
/** Longer than any process lives: the key dies with the process, the dates only must not end before it. */
const validityMs = 10 * 365 * 24 * 60 * 60 * 1000;

export interface OwnCertificate {
  readonly certificateDer: Buffer;
  readonly certificatePem: string;
  readonly privateKeyPem: string;
}

/** A fresh self-signed certificate for this process, on ECDSA P-256, good for both ends of a TLS connection. */
export function createOwnCertificate(now: Date = new Date()): OwnCertificate {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const tbs = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
    issuer: localhostName(),
    subject: localhostName(),
    validity: new Validity({
      notBefore: new Date(now.getTime() - backdateMs),
      notAfter: new Date(now.getTime() + validityMs),
    }),
    subjectPublicKeyInfo: AsnConvert.parse(publicKey.export({ type: "spki", format: "der" }), SubjectPublicKeyInfo),
    extensions: extensions(publicKey),
  });
  const signature = sign("sha256", Buffer.from(AsnConvert.serialize(tbs)), privateKey);
  const certificate = new Certificate({
    tbsCertificate: tbs,
    signatureAlgorithm: new AlgorithmIdentifier({ algorithm: ecdsaWithSha256 }),
    signatureValue: toArrayBuffer(signature),
  });
  const certificateDer = Buffer.from(AsnConvert.serialize(certificate));
  return {
    certificateDer,
    certificatePem: new X509Certificate(certificateDer).toString(),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
}

/** Positive, and never starting with a zero byte that DER would have to drop. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return toArrayBuffer(bytes);
}

function localhostName(): Name {
  const value = new AttributeValue({ utf8String: autoMtlsServerName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: commonName, value })])]);
}

/** What Go's verifier asks of a certificate that is its own root, server and client. */
function extensions(publicKey: KeyObject): Extensions {
  const usage = KeyUsageFlags.digitalSignature | KeyUsageFlags.keyAgreement | KeyUsageFlags.keyCertSign;
  const keyId = createHash("sha256")
    .update(publicKey.export({ type: "spki", format: "der" }))
    .digest()
    .subarray(0, 20);
  return new Extensions([
    extension(id_ce_basicConstraints, new BasicConstraints({ cA: true }), true),
    extension(id_ce_keyUsage, new KeyUsage(usage), true),
    extension(id_ce_extKeyUsage, new ExtendedKeyUsage([id_kp_clientAuth, id_kp_serverAuth])),
    extension(id_ce_subjectAltName, new SubjectAlternativeName([new GeneralName({ dNSName: autoMtlsServerName })])),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyId)),
  ]);
}

function extension(extnID: string, value: unknown, critical = false): Extension {
  return new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });
}

function toArrayBuffer(bytes: Buffer): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}

/**
 * Checks the host's certificate before it becomes the only one trusted.
 *
 * @returns the PEM of the first certificate in the text
 * @throws GoPluginError `CLIENT_CERTIFICATE`
 */
export function readPeerCertificate(pem: string): string {
  try {
    return new X509Certificate(pem).toString();
  } catch (cause) {
    throw new GoPluginError("CLIENT_CERTIFICATE", "PLUGIN_CLIENT_CERT is set, and is no certificate in PEM", { cause });
  }
}

/** @throws GoPluginError `SERVER_CERTIFICATE` when the sixth handshake field is no certificate */
export function readServerCertificate(der: Buffer): string {
  try {
    return new X509Certificate(der).toString();
  } catch (cause) {
    throw new GoPluginError("SERVER_CERTIFICATE", "the sixth field of the handshake is no certificate", { cause });
  }
}
