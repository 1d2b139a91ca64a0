/** Calls in process, with the types of AWS's service model. */
import assert from "node:assert/strict";
import {
  AwsException,
  type CallOptions,
  type EmulatorControl,
  type EngineOptions,
  manualClock,
} from "../../src/kms-emulator/index.ts";
import type { KmsOperations } from "../../src/kms-emulator/model/kms-types.gen.ts";
import { createTestEngine } from "../fixtures/test-emulator.ts";
import { answerProblems } from "./service-model/conformance.ts";

type Name = keyof KmsOperations;
type Output<N extends Name> = Exclude<KmsOperations[N]["output"], undefined>;

export type TypedCall = <N extends Name>(
  operation: N,
  input: KmsOperations[N]["input"],
  options?: CallOptions,
) => Promise<Output<N>>;

type UntypedCall = (operation: string, input: unknown, options?: CallOptions) => Promise<unknown>;

/** Every answer is held against the model, whatever the test is about. */
export const callOf = (control: EmulatorControl): TypedCall => {
  const checked: UntypedCall = async (operation, input, options) => {
    const output = await (control.call as UntypedCall)(operation, input, options);
    assert.deepEqual(answerProblems(operation, output), [], `${operation}: the answer is as the model has it`);
    return output;
  };
  return checked as unknown as TypedCall;
};

/** An engine whose clock stands still, and calls to it. */
export function startCalls(options: EngineOptions = {}) {
  const { control } = createTestEngine({ clock: manualClock(), ...options });
  return { control, call: callOf(control) };
}

export interface MadeKey {
  readonly KeyId: string;
  readonly Arn: string;
}

export async function makeKey(
  call: TypedCall,
  input: KmsOperations["CreateKey"]["input"] = {},
  options?: CallOptions,
): Promise<MadeKey> {
  const { KeyMetadata } = await call("CreateKey", input, options);
  assert.ok(KeyMetadata?.Arn);
  return { KeyId: KeyMetadata.KeyId, Arn: KeyMetadata.Arn };
}

/** The code and the text of the exception; `undefined` as text: it has none on the wire. */
export async function refuses(sent: Promise<unknown>, code: string, text?: string | RegExp): Promise<void> {
  const error = await sent.then(
    (output) => assert.fail(`${code} was expected, not ${JSON.stringify(output)}`),
    (thrown: unknown) => thrown,
  );
  assert.ok(error instanceof AwsException, String(error));
  assert.equal(error.code, code, error.message);
  if (typeof text === "string") assert.equal(error.message, text);
  else if (text) assert.match(error.message, text);
}

/** A value that must be there. */
export function present<T>(value: T | null | undefined): T {
  assert.ok(value !== undefined && value !== null, "a value is missing");
  return value;
}

export const bytes = (text: string): Uint8Array => Buffer.from(text);
export const textOf = (value: Uint8Array | undefined): string => Buffer.from(present(value)).toString();
