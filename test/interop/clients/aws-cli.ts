/** A day of the AWS CLI, version 1: the version that PyPI has. */
import { execFile } from "node:child_process";
import { createPublicKey, verify } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

interface Failure {
  readonly stderr?: string;
}

/** The name of the exception in `An error occurred (NotFoundException) when calling …`. */
const exceptionIn = (error: unknown): string | undefined =>
  /An error occurred \((\w+)\)/.exec((error as Failure).stderr ?? "")?.[1];

export async function cliDay(program: string, env: NodeJS.ProcessEnv): Promise<Record<string, unknown>> {
  const folder = mkdtempSync(join(tmpdir(), "aws-cli-"));
  const aws = async (...args: readonly string[]): Promise<Record<string, never>> => {
    const { stdout } = await run(program, [...args, "--output", "json"], { env, cwd: folder, timeout: 120_000 });
    return stdout.trim() === "" ? {} : (JSON.parse(stdout) as Record<string, never>);
  };
  const text = async (...args: readonly string[]): Promise<string> =>
    (await run(program, [...args, "--output", "text"], { env, cwd: folder, timeout: 120_000 })).stdout.trim();
  try {
    const account = await text("sts", "get-caller-identity", "--query", "Account");
    const key = ["--key-spec", "ECC_NIST_P256", "--key-usage", "SIGN_VERIFY", "--tags", "TagKey=team,TagValue=web"];
    const id = await text("kms", "create-key", ...key, "--query", "KeyMetadata.KeyId");
    await aws("kms", "create-alias", "--alias-name", "alias/cli", "--target-key-id", id);
    writeFileSync(join(folder, "message"), "from the CLI");
    const signing = ["--signing-algorithm", "ECDSA_SHA_256", "--message", "fileb://message"];
    const signature = await text("kms", "sign", "--key-id", "alias/cli", ...signing, "--query", "Signature");
    const spki = await text("kms", "get-public-key", "--key-id", "alias/cli", "--query", "PublicKey");
    const publicKey = createPublicKey({ key: Buffer.from(spki, "base64"), format: "der", type: "spki" });
    const signed = verify("sha256", Buffer.from("from the CLI"), publicKey, Buffer.from(signature, "base64"));
    const { Tags: tags } = await aws("kms", "list-resource-tags", "--key-id", id);
    const aliases = await aws("kms", "list-aliases", "--key-id", id, "--query", "{names: Aliases[].AliasName}");
    const opened = await encryptAndDecrypt(folder, text);
    const refused = await aws("kms", "describe-key", "--key-id", "alias/nothing").catch(exceptionIn);
    await aws("kms", "delete-alias", "--alias-name", "alias/cli");
    await aws("kms", "schedule-key-deletion", "--key-id", id, "--pending-window-in-days", "7");
    const state = await text("kms", "describe-key", "--key-id", id, "--query", "KeyMetadata.KeyState");
    return { account, signed, tags, aliases: aliases.names, opened, refused, state };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As AWS's own manual shows it. */
async function encryptAndDecrypt(
  folder: string,
  text: (...args: readonly string[]) => Promise<string>,
): Promise<string> {
  const id = await text("kms", "create-key", "--query", "KeyMetadata.KeyId");
  writeFileSync(join(folder, "plaintext"), "password");
  const encrypt = ["kms", "encrypt", "--key-id", id, "--plaintext", "fileb://plaintext", "--query", "CiphertextBlob"];
  writeFileSync(join(folder, "ciphertext"), Buffer.from(await text(...encrypt), "base64"));
  const decrypt = ["kms", "decrypt", "--ciphertext-blob", "fileb://ciphertext", "--query", "Plaintext"];
  return Buffer.from(await text(...decrypt), "base64").toString();
}
