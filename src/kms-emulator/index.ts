/**
 * An embedded AWS KMS (with the parts of STS, IAM and Resource Groups Tagging that go with it) for tests, trials and fault
 * drills: real cryptography, key states, aliases with dates, paging, faults, a clock that can be moved, a journal.
 *
 * Start with {@link startEmulator} for AWS clients of any language, or {@link createEngine} to call it in process.
 */

export type { CallInput, CallOutput, OperationName } from "./control/calls.ts";
export type { CallOptions, EmulatorControl } from "./control/control.ts";
export type { IdentityConfig, OidcProviderConfig, RoleConfig } from "./directory/config.ts";
export { type EmulatorClock, manualClock, systemClock } from "./drills/clock.ts";
export type { Fault, FaultEffect, FaultHandle, FaultRule } from "./drills/faults.ts";
export type { CallOutcome, CallRecord } from "./drills/journal.ts";
export type { PauseHandle, PauseRule } from "./drills/pauses.ts";
export { type Emulator, startEmulator } from "./emulator.ts";
export { EmulatorError, type EmulatorErrorCode } from "./errors.ts";
export { AwsException, type ExceptionCode } from "./exceptions.ts";
export type { Limits } from "./framework/limits.ts";
export type { Caller } from "./identity.ts";
export { createEngine, type InProcessEmulator } from "./in-process.ts";
export type { EmulatorOptions, EngineOptions } from "./options/options.ts";
export { type JsonOptions, readJsonOptions } from "./options/options-json.ts";
export type { SeedAlias, SeedKey, Seeds } from "./seeds/seed-file.ts";
export type { TlsOptions } from "./tls/options.ts";
export type { TrustAnchor } from "./tls/server-tls.ts";
