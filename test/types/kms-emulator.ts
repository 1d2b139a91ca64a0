/** Types of `./kms-emulator` as a test meets them. Compiled, never run. */
import {
  AwsException,
  createEngine,
  type Emulator,
  type EmulatorErrorCode,
  type ExceptionCode,
  type Fault,
  manualClock,
  startEmulator,
} from "../../src/kms-emulator/index.ts";
import type { Equal, Expect } from "./equal.ts";

export const running = (): Promise<Emulator> => startEmulator({ port: 0, authorize: true, quotas: { CreateKey: 2 } });
// @ts-expect-error options are known by name
export const unknownOption = (): Promise<Emulator> => startEmulator({ ports: 0 });

export const { control } = createEngine({ clock: manualClock(new Date(0)) });
control.advance(1000);

export const fault: Fault = { kind: "error", name: "ThrottlingException", operation: "Sign", times: 2 };
control.addFault(fault).remove();
// @ts-expect-error a fault says what happens
control.addFault({ operation: "Sign" });
// @ts-expect-error a delay says how long
control.addFault({ kind: "delay" });

// What a call takes and answers depends on the operation.
export async function typedCalls(): Promise<void> {
  const { KeyMetadata } = await control.call("CreateKey", { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" });
  const arn: string = KeyMetadata.Arn;
  const deletion: Date | undefined = KeyMetadata.DeletionDate;
  const { Signature } = await control.call("Sign", {
    KeyId: arn,
    Message: Buffer.alloc(32),
    MessageType: "DIGEST",
    SigningAlgorithm: "ECDSA_SHA_256",
  });
  const bytes: Uint8Array = Signature;
  const { Keys, NextMarker, Truncated } = await control.call("ListKeys", {});
  const ids: readonly string[] = Keys.map(({ KeyId }) => KeyId);
  const marker: string | undefined = NextMarker;
  const isTruncated: boolean = Truncated;
  const { Aliases } = await control.call("ListAliases", { Limit: 10 });
  const target: string | undefined = Aliases[0]?.TargetKeyId;
  const { Plaintext } = await control.call("GenerateDataKey", { KeyId: arn, KeySpec: "AES_256" });
  const secret: Uint8Array = Plaintext;
  const { Account } = await control.call("GetCallerIdentity", {});
  const nothing: undefined = await control.call("EnableKey", { KeyId: arn });
  void [deletion, bytes, ids, marker, isTruncated, target, secret, Account, nothing];
  // @ts-expect-error there is no such operation
  await control.call("CreatKey", {});
  // @ts-expect-error a key has a KeyId
  await control.call("DescribeKey", {});
  // @ts-expect-error members are known by name
  await control.call("DescribeKey", { KeyId: arn, Keyid: arn });
  // @ts-expect-error options are known by name
  await control.call("ListKeys", {}, { regoin: "us-east-1" });
}

export type AnswersByNameAreUnknown = Expect<Equal<Awaited<ReturnType<typeof control.callByName>>, unknown>>;

export type CodesAreClosed = Expect<Equal<string extends ExceptionCode | EmulatorErrorCode ? true : false, false>>;
export const isThrottled = (error: unknown): boolean =>
  error instanceof AwsException && error.code === "ThrottlingException";
