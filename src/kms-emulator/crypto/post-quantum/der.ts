/** DER around raw keys, for algorithms that node:crypto does not know. */

/** A DER element: tag, length, content. */
function der(tag: number, content: Uint8Array): Buffer {
  const { length } = content;
  const head =
    length < 0x80 ? [tag, length] : length < 0x100 ? [tag, 0x81, length] : [tag, 0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.from(head), content]);
}

/** SubjectPublicKeyInfo. `oid`: the content of the OBJECT IDENTIFIER in hex. The algorithm has no parameters. */
export function spkiOf(oid: string, publicKey: Uint8Array): Buffer {
  const algorithm = der(0x30, der(0x06, Buffer.from(oid, "hex")));
  return der(0x30, Buffer.concat([algorithm, der(0x03, Buffer.concat([Buffer.from([0]), publicKey]))]));
}

/** PKCS#8 of a key that is its seed: `[0] seed` (RFC 9881, RFC 9935). */
export function seedPkcs8(oid: string, seed: Uint8Array): Buffer {
  const algorithm = der(0x30, der(0x06, Buffer.from(oid, "hex")));
  const privateKey = der(0x04, der(0x80, seed));
  return der(0x30, Buffer.concat([Buffer.from([0x02, 0x01, 0x00]), algorithm, privateKey]));
}
