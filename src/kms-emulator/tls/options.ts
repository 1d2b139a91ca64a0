/** What users can set about TLS. */

export interface TlsOptions {
  /** Further names and addresses that the certificate is good for, beside 127.0.0.1, ::1, localhost and `host`. */
  readonly names?: readonly string[];
  /**
   * Keeps the authority in this folder (`ca.pem`, `ca-key.pem`), so that a restart needs no new trust. Default: a new
   * authority at each start, its certificate in a temporary folder until the emulator closes.
   */
  readonly folder?: string;
}
