/** What our own choice is in a situation, in the words of main.go. */
import { type Choice, chooseCredentials } from "../../../src/aws/credentials/choice.ts";
import { environmentCredentials, profileKeys } from "../../../src/aws/credentials/plain-credentials.ts";
import { readSharedFiles, type Sections } from "../../../src/aws/credentials/shared-files.ts";
import { isKmsError } from "../../../src/key-manager/ports.ts";
import type { Row } from "./credential-rows.ts";

/** What is refused by either; the words may differ. */
export const refused = "refused";

function wordsOf({ origin, roles }: Choice, env: Row["Env"]): string {
  const isAssumed = roles.length > 0;
  const base = () => {
    switch (origin.kind) {
      case "environment":
        // Reached by credential_source, Go calls it so.
        return isAssumed ? "container" : `environment ${environmentCredentials(env).accessKeyId}`;
      case "keys":
        return isAssumed ? "keys" : `keys ${profileKeys(origin.profile).accessKeyId}`;
      case "web-identity":
        return origin.profile === undefined ? "environment web identity" : "web identity";
      default:
        return origin.kind;
    }
  };
  return isAssumed ? `${base()} role` : base();
}

/** Read once each: many rows have the same files. */
const sectionsRead = new Map<string, Promise<Sections>>();

function sectionsOf({ Config, Credentials }: Row): Promise<Sections> {
  const key = `${Config}\0${Credentials}`;
  const files = new Map([
    ["config", Config],
    ["credentials", Credentials],
  ]);
  const readText = async (path: string) =>
    files.get(path) || Promise.reject(Object.assign(new Error("no such file"), { code: "ENOENT" }));
  const env = { AWS_CONFIG_FILE: "config", AWS_SHARED_CREDENTIALS_FILE: "credentials" };
  const sections = sectionsRead.get(key) ?? readSharedFiles(env, readText);
  sectionsRead.set(key, sections);
  return sections;
}

export async function ourChoice(row: Row): Promise<string> {
  try {
    return wordsOf(chooseCredentials(row.Env, await sectionsOf(row), row.Profile || undefined), row.Env);
  } catch (error) {
    if (isKmsError(error, "UNAUTHENTICATED")) return refused;
    throw error;
  }
}
