/** One side of an AutoMTLS connection: its own certificate and key, and the one certificate it trusts. */
export interface TlsIdentity {
  readonly certificatePem: string;
  readonly privateKeyPem: string;
  readonly peerCertificatePem: string;
}

/** The name in every AutoMTLS certificate, and the one both sides check. */
export const autoMtlsServerName = "localhost";
