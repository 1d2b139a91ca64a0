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

// What a call answers depends on the operation, so it is for the test to say.
export type AnswersAreUnknown = Expect<Equal<Awaited<ReturnType<typeof control.call>>, unknown>>;

export type CodesAreClosed = Expect<Equal<string extends ExceptionCode | EmulatorErrorCode ? true : false, false>>;
export const isThrottled = (error: unknown): boolean =>
  error instanceof AwsException && error.code === "ThrottlingException";
