/** What SPIRE signs with its keys: a CA certificate and a JWT-SVID. */
import { createHash, createPublicKey, verify, X509Certificate } from "node:crypto";
import { HashAlgorithm, type PublicKey } from "../../plugin-sdk/index.ts";
import { type DigestName, ecdsaAlgorithm, rsaAlgorithm } from "../../x509/certificate.ts";
import { issueSvid } from "../../x509/svid.ts";
import type { SpireServer } from "./spire-server.ts";

const hashAlgorithms = {
  sha256: HashAlgorithm.SHA256,
  sha384: HashAlgorithm.SHA384,
  sha512: HashAlgorithm.SHA512,
} as const;

const hourMs = 3_600_000;

export const publicKeyOf = ({ pkixData }: PublicKey) =>
  createPublicKey({ key: Buffer.from(pkixData), format: "der", type: "spki" });

/** Has the plugin sign bytes, as SPIRE does: the digest travels, and the answer must come from the key that is meant. */
async function signWith({ keyManager }: SpireServer, key: PublicKey, bytes: Uint8Array, digest: DigestName) {
  const { signature, keyFingerprint } = await keyManager.signData({
    keyId: key.id,
    data: createHash(digest).update(bytes).digest(),
    signerOpts: { case: "hashAlgorithm", value: hashAlgorithms[digest] },
  });
  if (keyFingerprint !== key.fingerprint) throw new Error(`the signature comes from another key than ${key.id}`);
  return signature;
}

/** A self-signed CA certificate over one of the server's keys. */
export async function issueCaCertificate(
  server: SpireServer,
  key: PublicKey,
  digest: DigestName,
  trustDomain: string,
): Promise<X509Certificate> {
  const isEc = publicKeyOf(key).asymmetricKeyType === "ec";
  const now = Date.now();
  const der = await issueSvid(
    {
      commonName: `SPIRE CA ${key.id}`,
      pkixData: key.pkixData,
      isCa: true,
      spiffeId: `spiffe://${trustDomain}`,
      notBefore: new Date(now - hourMs),
      notAfter: new Date(now + 24 * hourMs),
    },
    {
      commonName: `SPIRE CA ${key.id}`,
      pkixData: key.pkixData,
      signatureAlgorithm: isEc ? ecdsaAlgorithm(digest) : rsaAlgorithm(digest),
      sign: (tbsCertificate) => signWith(server, key, tbsCertificate, digest),
    },
  );
  return new X509Certificate(der);
}

const base64url = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");

/** A JWT-SVID, `RS256`. */
export async function issueJwt(server: SpireServer, key: PublicKey, trustDomain: string): Promise<string> {
  const header = { alg: "RS256", kid: key.id, typ: "JWT" };
  const claims = { sub: `spiffe://${trustDomain}/demo`, aud: ["demo"], exp: Math.floor(Date.now() / 1000) + 300 };
  const signed = `${base64url(header)}.${base64url(claims)}`;
  const signature = await signWith(server, key, Buffer.from(signed), "sha256");
  return `${signed}.${Buffer.from(signature).toString("base64url")}`;
}

export function isJwtSignedBy(jwt: string, key: PublicKey): boolean {
  const [header, claims, signature] = jwt.split(".");
  return verify(
    "sha256",
    Buffer.from(`${header}.${claims}`),
    publicKeyOf(key),
    Buffer.from(signature ?? "", "base64url"),
  );
}
