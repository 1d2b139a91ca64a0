/** Puts the server's side of TLS together. Loaded only where it is asked for: the ASN.1 library takes its time. */
import type { RequestListener, Server, ServerOptions } from "node:http";
import { createServer } from "node:https";
import { issueServerIdentity } from "./authority.ts";
import { keepAuthority } from "./authority-files.ts";
import { certificateNames } from "./names.ts";
import type { TlsOptions } from "./options.ts";

/** What clients must trust. */
export interface TrustAnchor {
  /** The authority's certificate. */
  readonly caPem: string;
  /** Path of a file with it, for `AWS_CA_BUNDLE`, `SSL_CERT_FILE` or `NODE_EXTRA_CA_CERTS`. */
  readonly caFile: string;
}

export interface ServerTls extends TrustAnchor {
  /** A server of node:https with the certificate. */
  readonly createServer: (options: ServerOptions, listener: RequestListener) => Server;
  /** Removes what was temporary. */
  release(): void;
}

/** @param host what the server listens on. Throws EmulatorError INVALID_OPTION or TLS_FOLDER. */
export async function prepareTls(options: TlsOptions, host: string, nowMs: number): Promise<ServerTls> {
  const names = certificateNames(host, options.names);
  const { authority, caFile, release } = await keepAuthority(options.folder, nowMs);
  const { certificatePem: cert, privateKeyPem: key } = await issueServerIdentity(authority, names, nowMs);
  return {
    createServer: (settings, listener) => createServer({ ...settings, cert, key }, listener),
    caPem: authority.certificatePem,
    caFile,
    release,
  };
}
