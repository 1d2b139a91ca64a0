/**
 * AutoMTLS: the certificate that one side makes for one connection, and the check of the other side's. Loaded only when
 * it is asked for.
 */
import { generateKeyPairSync, sign, X509Certificate } from "node:crypto";
import { ecdsaAlgorithm, signCertificate } from "../x509/certificate.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "../x509/extensions.ts";
import { GoPluginError } from "./errors.ts";
import { autoMtlsServerName } from "./tls-identity.ts";

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
export async function createOwnCertificate(now: Date = new Date()): Promise<OwnCertificate> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pkixData = publicKey.export({ type: "spki", format: "der" });
  const content = {
    commonName: autoMtlsServerName,
    pkixData,
    notBefore: new Date(now.getTime() - backdateMs),
    notAfter: new Date(now.getTime() + validityMs),
    // What Go's verifier asks of a certificate that is its own root, server and client.
    extensions: [
      basicConstraints(true),
      keyUsage("digitalSignature", "keyAgreement", "keyCertSign"),
      extendedKeyUsage("clientAuth", "serverAuth"),
      subjectAltName({ dnsName: autoMtlsServerName }),
      subjectKeyIdentifier(pkixData),
    ],
  };
  const der = await signCertificate(content, {
    commonName: autoMtlsServerName,
    signatureAlgorithm: ecdsaAlgorithm("sha256"),
    sign: async (tbsCertificate) => sign("sha256", tbsCertificate, privateKey),
  });
  const certificateDer = Buffer.from(der);
  return {
    certificateDer,
    certificatePem: new X509Certificate(certificateDer).toString(),
    privateKeyPem: privateKey.export({ type: "pkcs8", format: "pem" }).toString(),
  };
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
