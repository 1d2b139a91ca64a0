/** Failures of a credential source, told in our words: which source, what it said, and what may help. */
import { KmsError, type KmsErrorCode } from "../../key-manager/ports.ts";
import { strikeSecrets } from "./withhold-credentials.ts";

/** As AWS's SDKs call it; messages and retries know it by this name. */
const awsName = "CredentialsProviderError";

/** @param code UNAUTHENTICATED unless the source itself is out of order */
export function sourceError(message: string, code: KmsErrorCode = "UNAUTHENTICATED"): KmsError {
  return new KmsError(strikeSecrets(message), { code, operation: "credentials", awsName, outcomeUnknown: false });
}

/** There is no such source on this machine, as far as can be told. */
export class AbsentSource extends KmsError {
  constructor(message: string, code: KmsErrorCode = "UNAUTHENTICATED") {
    super(strikeSecrets(message), { code, operation: "credentials", awsName, outcomeUnknown: false });
  }
}

/** A source has not come to an end within its time limit. */
export function sourceTimeout(source: string, limitMs: number): KmsError {
  const message = `${source} has not answered within ${limitMs / 1000} s`;
  return new KmsError(message, { code: "TIMEOUT", operation: "credentials", awsName, outcomeUnknown: false });
}

/** What something threw, as one line of words. */
export function wordsOf(error: unknown): string {
  const text = error instanceof Error && typeof error.message === "string" ? error.message : String(error);
  return text.split(/[\r\n]/, 1)[0] || (error instanceof Error ? error.name : "unknown failure");
}
