/** The two halves of a key, before it has an id. */
export interface Secrets {
  readonly secret: Uint8Array;
  readonly publicKey: Uint8Array;
}
