/**
 * X.509 certificates around a signing function, for keys that somebody else holds: what SPIRE does with a KeyManager,
 * done here by the demonstration and by tests. A leaf; the ASN.1 is @peculiar/asn1-x509's.
 */
import { createHash, randomBytes } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  AuthorityKeyIdentifier,
  BasicConstraints,
  Certificate,
  Extension,
  Extensions,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  KeyIdentifier,
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

/** Hash functions that certificates are signed over, by node:crypto's names. */
export type DigestName = "sha256" | "sha384" | "sha512";

export const ecdsaWith: Readonly<Record<DigestName, string>> = {
  sha256: "1.2.840.10045.4.3.2",
  sha384: "1.2.840.10045.4.3.3",
  sha512: "1.2.840.10045.4.3.4",
};

/** RSASSA-PKCS1-v1_5. */
export const rsaWith: Readonly<Record<DigestName, string>> = {
  sha256: "1.2.840.113549.1.1.11",
  sha384: "1.2.840.113549.1.1.12",
  sha512: "1.2.840.113549.1.1.13",
};

export interface Issuer {
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
  /** As it stands in the certificate. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** Signs the DER of a TBSCertificate. */
  readonly sign: (tbsCertificate: Uint8Array) => Promise<Uint8Array>;
}

export interface CertificateRequest {
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
  readonly spiffeId?: string;
  readonly isCa: boolean;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export function ecdsaAlgorithm(digest: DigestName): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ecdsaWith[digest] });
}

export function rsaAlgorithm(digest: DigestName): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: rsaWith[digest], parameters: null });
}

const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Positive, without a leading zero that DER would have to drop. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return arrayBuffer(bytes);
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: "2.5.4.3", value })])]);
}

const extension = (extnID: string, value: unknown, critical = false) =>
  new Extension({ extnID, critical, extnValue: new OctetString(AsnConvert.serialize(value)) });

const keyIdentifier = (pkixData: Uint8Array) =>
  arrayBuffer(createHash("sha256").update(pkixData).digest().subarray(0, 20));

function extensionsOf({ isCa, pkixData, spiffeId }: CertificateRequest, issuer: Issuer): Extensions {
  const usage = isCa ? KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign : KeyUsageFlags.digitalSignature;
  const authority = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(issuer.pkixData)) });
  return new Extensions([
    extension(id_ce_basicConstraints, new BasicConstraints(isCa ? { cA: true } : {}), true),
    extension(id_ce_keyUsage, new KeyUsage(usage), true),
    extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(pkixData))),
    extension(id_ce_authorityKeyIdentifier, authority),
    ...(spiffeId === undefined
      ? []
      : [
          extension(
            id_ce_subjectAltName,
            new SubjectAlternativeName([new GeneralName({ uniformResourceIdentifier: spiffeId })]),
          ),
        ]),
  ]);
}

/**
 * Issues a certificate.
 *
 * @returns the certificate, DER
 */
export async function issueCertificate(request: CertificateRequest, issuer: Issuer): Promise<Uint8Array> {
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: issuer.signatureAlgorithm,
    issuer: nameOf(issuer.commonName),
    subject: nameOf(request.commonName),
    validity: new Validity({ notBefore: request.notBefore, notAfter: request.notAfter }),
    subjectPublicKeyInfo: AsnConvert.parse(arrayBuffer(request.pkixData), SubjectPublicKeyInfo),
    extensions: extensionsOf(request, issuer),
  });
  const signature = await issuer.sign(new Uint8Array(AsnConvert.serialize(tbsCertificate)));
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: issuer.signatureAlgorithm,
    signatureValue: arrayBuffer(signature),
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}
