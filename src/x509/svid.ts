/** Certificates as SPIRE issues them over a KeyManager's keys: its own authority's, and those of workloads. */
import { type CertificateContent, type Issuer, signCertificate } from "./certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  keyUsage,
  subjectAltName,
  subjectKeyIdentifier,
} from "./extensions.ts";

export interface Authority extends Issuer {
  /** SubjectPublicKeyInfo, DER. */
  readonly pkixData: Uint8Array;
}

export interface SvidRequest extends Omit<CertificateContent, "extensions"> {
  readonly spiffeId?: string;
  readonly isCa: boolean;
}

/** @returns the certificate, DER */
export function issueSvid(request: SvidRequest, authority: Authority): Promise<Uint8Array> {
  const { isCa, pkixData, spiffeId } = request;
  const extensions = [
    basicConstraints(isCa),
    isCa ? keyUsage("keyCertSign", "cRLSign") : keyUsage("digitalSignature"),
    subjectKeyIdentifier(pkixData),
    authorityKeyIdentifier(authority.pkixData),
    ...(spiffeId === undefined ? [] : [subjectAltName({ uri: spiffeId })]),
  ];
  return signCertificate({ ...request, extensions }, authority);
}
