/** Questions to which nothing published says how AWS answers: no emulator is called right or wrong. */
import type { Ask } from "../../emulator/recordings/recording.ts";

export interface OpenQuestion {
  readonly title: string;
  ask(ask: Ask): Promise<Readonly<Record<string, unknown>>>;
}

async function newKey(ask: Ask, input: object = {}): Promise<string> {
  const { KeyMetadata } = (await ask("CreateKey", input)) as { KeyMetadata?: { KeyId: string } };
  return KeyMetadata?.KeyId ?? "none";
}

const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const message = Buffer.from("message");
const grantee = "arn:aws:iam::111122223333:root";

export const openQuestions: readonly OpenQuestion[] = [
  {
    title: "Order of checks: Sign with a disabled key and an algorithm of another spec",
    async ask(ask) {
      const KeyId = await newKey(ask, signing);
      await ask("DisableKey", { KeyId });
      return ask("Sign", { KeyId, Message: message, MessageType: "RAW", SigningAlgorithm: "ECDSA_SHA_512" });
    },
  },
  {
    title: "Order of checks: Encrypt with DryRun and a disabled key",
    async ask(ask) {
      const KeyId = await newKey(ask);
      await ask("DisableKey", { KeyId });
      return ask("Encrypt", { KeyId, Plaintext: message, DryRun: true });
    },
  },
  {
    title: "DisableKey by the name of an alias",
    async ask(ask) {
      await ask("CreateAlias", { AliasName: "alias/open", TargetKeyId: await newKey(ask) });
      return ask("DisableKey", { KeyId: "alias/open" });
    },
  },
  {
    title: "DeleteAlias by the ARN of an alias",
    ask: (ask) => ask("DeleteAlias", { AliasName: "arn:aws:kms:us-east-1:111122223333:alias/open" }),
  },
  {
    title: "ImportKeyMaterial with a token of no key",
    ask: async (ask) =>
      ask("ImportKeyMaterial", {
        KeyId: await newKey(ask, { Origin: "EXTERNAL" }),
        ImportToken: message,
        EncryptedKeyMaterial: message,
        ExpirationModel: "KEY_MATERIAL_DOES_NOT_EXPIRE",
      }),
  },
  {
    title: "RevokeGrant of a grant that does not exist",
    ask: async (ask) => ask("RevokeGrant", { KeyId: await newKey(ask), GrantId: "a".repeat(64) }),
  },
  {
    title: "CreateGrant with a key policy's wildcard as grantee",
    ask: async (ask) =>
      ask("CreateGrant", {
        KeyId: await newKey(ask),
        GranteePrincipal: "arn:aws:iam::111122223333:*",
        Operations: ["Encrypt"],
      }),
  },
  {
    title: "CreateGrant twice with one name and other operations",
    async ask(ask) {
      const input = { KeyId: await newKey(ask), GranteePrincipal: grantee, Name: "one" };
      const first = await ask("CreateGrant", { ...input, Operations: ["Encrypt"] });
      const second = await ask("CreateGrant", { ...input, Operations: ["Decrypt"] });
      return { "the same grant": first.GrantId !== undefined && first.GrantId === second.GrantId };
    },
  },
  {
    title: "ConnectCustomKeyStore of a store that does not exist",
    ask: (ask) => ask("ConnectCustomKeyStore", { CustomKeyStoreId: "cks-1234567890abcdef0" }),
  },
  {
    title: "PutKeyPolicy with a text that is no policy",
    ask: async (ask) => ask("PutKeyPolicy", { KeyId: await newKey(ask), Policy: "none" }),
  },
  {
    title: "UpdateAlias from a signing key to a symmetric key",
    async ask(ask) {
      await ask("CreateAlias", { AliasName: "alias/kinds", TargetKeyId: await newKey(ask, signing) });
      return ask("UpdateAlias", { AliasName: "alias/kinds", TargetKeyId: await newKey(ask) });
    },
  },
  {
    title: "GetKeyRotationStatus of a signing key",
    ask: async (ask) => ask("GetKeyRotationStatus", { KeyId: await newKey(ask, signing) }),
  },
  {
    title: "Sign an empty message",
    ask: async (ask) =>
      ask("Sign", { KeyId: await newKey(ask, signing), Message: Buffer.alloc(0), SigningAlgorithm: "ECDSA_SHA_256" }),
  },
];

/** In one line, without what differs from run to run. */
export function inOneLine(answer: Readonly<Record<string, unknown>>): string {
  const { Error: error, ...members } = answer as { Error?: { Code: string; Message: string } };
  if (error === undefined && "the same grant" in members)
    return members["the same grant"] ? "the first grant" : "another grant";
  if (error === undefined) return "done";
  const text = error.Message.replace(/[0-9a-f]{8}-[0-9a-f-]{27}/g, "<id>").replace(/\s+/g, " ");
  const short = text.length > 160 ? `${text.slice(0, 157)}...` : text;
  return `${error.Code}${short === "" ? "" : `: ${short}`}`;
}
