import assert from "node:assert/strict";
import { GrpcStatusError, type StatusCode } from "../../../src/plugin-sdk/index.ts";

/**
 * Asserts that a call fails with one clear error: this code, these words, on one line, without a stack.
 *
 * @param words every one must be found in the message; a string stands for the whole message
 * @returns the message
 */
export async function expectStatus(
  call: Promise<unknown>,
  code: StatusCode,
  ...words: readonly (string | RegExp)[]
): Promise<string> {
  const error = await call.then(
    () => assert.fail(`the call succeeded, ${code} was expected`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof GrpcStatusError, `${String(error)} is no gRPC status`);
  const { details } = error;
  assert.equal(error.code, code, details);
  for (const word of words) {
    if (typeof word === "string") assert.equal(details, word);
    else assert.match(details, word);
  }
  assert.doesNotMatch(details, /\n|^\s*at |\bundefined\b|\[object /, "an operator reads this on one line");
  return details;
}
