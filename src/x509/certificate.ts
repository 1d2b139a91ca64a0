/**
 * X.509 certificates around a signing function, which may ask a key that is held elsewhere. What a certificate says is
 * the caller's. A leaf; the ASN.1 is @peculiar/asn1-x509's.
 */
import { randomBytes } from "node:crypto";
import { AsnConvert } from "@peculiar/asn1-schema";
import {
  AlgorithmIdentifier,
  AttributeTypeAndValue,
  AttributeValue,
  Certificate,
  type Extension,
  Extensions,
  Name,
  RelativeDistinguishedName,
  SubjectPublicKeyInfo,
  TBSCertificate,
  Validity,
  Version,
} from "@peculiar/asn1-x509";

/** Hash functions that certificates are signed over, by node:crypto's names. */
export type DigestName = "sha256" | "sha384" | "sha512";

const ecdsaWith: Readonly<Record<DigestName, string>> = {
  sha256: "1.2.840.10045.4.3.2",
  sha384: "1.2.840.10045.4.3.3",
  sha512: "1.2.840.10045.4.3.4",
};

/** RSASSA-PKCS1-v1_5. */
const rsaWith: Readonly<Record<DigestName, string>> = {
  sha256: "1.2.840.113549.1.1.11",
  sha384: "1.2.840.113549.1.1.12",
  sha512: "1.2.840.113549.1.1.13",
};

export interface Issuer {
  readonly commonName: string;
  /** As it stands in the certificate. */
  readonly signatureAlgorithm: AlgorithmIdentifier;
  /** Signs the DER of a TBSCertificate. */
  readonly sign: (tbsCertificate: Uint8Array) => Promise<Uint8Array>;
}

export interface CertificateContent {
  readonly commonName: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly extensions: readonly Extension[];
}

export function ecdsaAlgorithm(digest: DigestName): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: ecdsaWith[digest] });
}

export function rsaAlgorithm(digest: DigestName): AlgorithmIdentifier {
  return new AlgorithmIdentifier({ algorithm: rsaWith[digest], parameters: null });
}

/**
 * Makes a certificate of version 3 with a random serial number.
 *
 * @returns the certificate, DER
 */
export async function signCertificate(content: CertificateContent, issuer: Issuer): Promise<Uint8Array> {
  const tbsCertificate = new TBSCertificate({
    version: Version.v3,
    serialNumber: serialNumber(),
    signature: issuer.signatureAlgorithm,
    issuer: nameOf(issuer.commonName),
    subject: nameOf(content.commonName),
    validity: new Validity({ notBefore: content.notBefore, notAfter: content.notAfter }),
    subjectPublicKeyInfo: AsnConvert.parse(arrayBuffer(content.pkixData), SubjectPublicKeyInfo),
    extensions: new Extensions([...content.extensions]),
  });
  const signature = await issuer.sign(new Uint8Array(AsnConvert.serialize(tbsCertificate)));
  const certificate = new Certificate({
    tbsCertificate,
    signatureAlgorithm: issuer.signatureAlgorithm,
    signatureValue: arrayBuffer(signature),
  });
  return new Uint8Array(AsnConvert.serialize(certificate));
}

const arrayBuffer = (bytes: Uint8Array): ArrayBuffer => new Uint8Array(bytes).buffer;

/** Positive, and never starting with a zero byte that DER would have to drop. */
function serialNumber(): ArrayBuffer {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return arrayBuffer(bytes);
}

function nameOf(commonName: string): Name {
  const value = new AttributeValue({ utf8String: commonName });
  return new Name([new RelativeDistinguishedName([new AttributeTypeAndValue({ type: "2.5.4.3", value })])]);
}
