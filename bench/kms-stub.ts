/**
 * As little of KMS as lets the plugin sign, and as fast as node:http goes: one P-256 key, and one signature over one digest,
 * made beforehand. What a benchmark measures beside it is the plugin.
 */
import { createHash, generateKeyPairSync, randomUUID, sign } from "node:crypto";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";

export interface KmsStub {
  readonly endpoint: string;
  /** The one digest that there is a signature for. */
  readonly digest: Uint8Array;
  close(): Promise<void>;
}

const message = Buffer.from("the one message");

async function bodyOf(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString();
}

/** @param aliases names of aliases that stand on the key from the beginning */
export async function startKmsStub(aliases: readonly string[] = []): Promise<KmsStub> {
  const { publicKey, privateKey } = generateKeyPairSync("ec", { namedCurve: "prime256v1" });
  const keyId = randomUUID();
  const Arn = `arn:aws:kms:us-east-2:111122223333:key/${keyId}`;
  const key = { KeyId: keyId, Arn, KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY", KeyState: "Enabled" };
  const KeyMetadata = { ...key, Description: "SPIRE_SERVER/example.org", CreationDate: Date.now() / 1000 };
  const now = Date.now() / 1000;
  const Aliases = aliases.map((AliasName) => ({
    AliasName,
    TargetKeyId: keyId,
    CreationDate: now,
    LastUpdatedDate: now,
  }));
  const signature = sign("sha256", message, privateKey).toString("base64");
  const PublicKey = publicKey.export({ type: "spki", format: "der" }).toString("base64");
  const answers: Readonly<Record<string, string>> = {
    CreateKey: JSON.stringify({ KeyMetadata }),
    DescribeKey: JSON.stringify({ KeyMetadata }),
    GetPublicKey: JSON.stringify({ KeyId: Arn, KeySpec: key.KeySpec, PublicKey }),
    Sign: JSON.stringify({ KeyId: Arn, Signature: signature, SigningAlgorithm: "ECDSA_SHA_256" }),
    ListAliases: JSON.stringify({ Aliases, Truncated: false }),
    ListKeys: JSON.stringify({ Keys: [], Truncated: false }),
  };
  const identity =
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::111122223333:user/bench</Arn><UserId>AIDABENCH</UserId><Account>111122223333</Account></GetCallerIdentityResult></GetCallerIdentityResponse>';
  const server = createServer(async (request, response) => {
    const target = String(request.headers["x-amz-target"] ?? "");
    await bodyOf(request);
    const body = target === "" ? identity : (answers[target.slice(target.indexOf(".") + 1)] ?? "{}");
    const type = target === "" ? "text/xml" : "application/x-amz-json-1.1";
    response.writeHead(200, { "Content-Type": type, "Content-Length": Buffer.byteLength(body) });
    response.end(body);
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    digest: createHash("sha256").update(message).digest(),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
