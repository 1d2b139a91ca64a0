/** The extensions of certificates, each from what it says. */
import { createHash } from "node:crypto";
import { AsnConvert, OctetString } from "@peculiar/asn1-schema";
import {
  AuthorityKeyIdentifier,
  BasicConstraints,
  ExtendedKeyUsage,
  Extension,
  GeneralName,
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
  id_kp_clientAuth,
  id_kp_serverAuth,
  KeyIdentifier,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
  SubjectKeyIdentifier,
} from "@peculiar/asn1-x509";

const extension = (extnID: string, value: unknown, isCritical = false): Extension =>
  new Extension({ extnID, critical: isCritical, extnValue: new OctetString(AsnConvert.serialize(value)) });

/** The first 160 bits of a SHA-256 over the public key: RFC 5280 (4.2.1.2) takes any value that tells keys apart. */
const keyIdentifier = (pkixData: Uint8Array): ArrayBuffer =>
  new Uint8Array(createHash("sha256").update(pkixData).digest().subarray(0, 20)).buffer;

/** Whether the key may sign certificates. Critical. */
export function basicConstraints(isCa: boolean): Extension {
  return extension(id_ce_basicConstraints, new BasicConstraints(isCa ? { cA: true } : {}), true);
}

/** What the key may be used for, by RFC 5280's names. Critical. */
export function keyUsage(...usages: readonly (keyof typeof KeyUsageFlags)[]): Extension {
  const flags = usages.reduce((all, usage) => all | KeyUsageFlags[usage], 0);
  return extension(id_ce_keyUsage, new KeyUsage(flags), true);
}

const purposeIds = { clientAuth: id_kp_clientAuth, serverAuth: id_kp_serverAuth } as const;

/** At which ends of a TLS connection the key may stand. */
export function extendedKeyUsage(...purposes: readonly (keyof typeof purposeIds)[]): Extension {
  return extension(id_ce_extKeyUsage, new ExtendedKeyUsage(purposes.map((purpose) => purposeIds[purpose])));
}

/** A name beside the subject's: a DNS name, an address, or a URI such as a SPIFFE ID. */
export type AltName = { readonly dnsName: string } | { readonly ipAddress: string } | { readonly uri: string };

function generalName(name: AltName): GeneralName {
  if ("dnsName" in name) return new GeneralName({ dNSName: name.dnsName });
  if ("ipAddress" in name) return new GeneralName({ iPAddress: name.ipAddress });
  return new GeneralName({ uniformResourceIdentifier: name.uri });
}

export function subjectAltName(...names: readonly AltName[]): Extension {
  return extension(id_ce_subjectAltName, new SubjectAlternativeName(names.map(generalName)));
}

/** @param pkixData the certified key: SubjectPublicKeyInfo, DER */
export function subjectKeyIdentifier(pkixData: Uint8Array): Extension {
  return extension(id_ce_subjectKeyIdentifier, new SubjectKeyIdentifier(keyIdentifier(pkixData)));
}

/** @param pkixData the issuer's key: SubjectPublicKeyInfo, DER */
export function authorityKeyIdentifier(pkixData: Uint8Array): Extension {
  const identifier = new AuthorityKeyIdentifier({ keyIdentifier: new KeyIdentifier(keyIdentifier(pkixData)) });
  return extension(id_ce_authorityKeyIdentifier, identifier);
}
