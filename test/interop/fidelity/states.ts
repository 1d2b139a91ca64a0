/** Every operation on a key that is disabled or pending deletion: what AWS's page on key states says of it. */

import type { StateCheckedOperation } from "../../../src/kms-emulator/operations/key-state.ts";
import { cases, inputs, message, type Prepared, prepare } from "../../emulator/operations/key-state-cases.ts";
import { table } from "../../emulator/operations/key-state-table.ts";
import type { Verdict } from "./questions.ts";
import type { Subject } from "./subjects.ts";

type State = "Disabled" | "PendingDeletion";

/** What is asked, of which kind of key. `passes`: an answer that shows that the state let the call through. */
interface StateCase {
  readonly key: object;
  readonly kind?: keyof typeof inputs;
  readonly input: (KeyId: string, prepared: Prepared) => object;
  readonly passes?: string;
}

const signing = { KeySpec: "ECC_NIST_P256", KeyUsage: "SIGN_VERIFY" };
const digest = { Message: Buffer.alloc(32), MessageType: "DIGEST", SigningAlgorithm: "ECDSA_SHA_256" };

const byKeyId = (more: object = {}): StateCase => ({ key: signing, input: (KeyId) => ({ KeyId, ...more }) });

const ofSigningKeys: Readonly<Record<string, StateCase>> = {
  Sign: byKeyId(digest),
  Verify: { ...byKeyId({ ...digest, Signature: message }), passes: "KMSInvalidSignatureException" },
  GetPublicKey: byKeyId(),
  DescribeKey: byKeyId(),
  ListAliases: byKeyId(),
  GetKeyPolicy: byKeyId(),
  ListResourceTags: byKeyId(),
  CreateAlias: { key: signing, input: (TargetKeyId) => ({ AliasName: `alias/${TargetKeyId}`, TargetKeyId }) },
  TagResource: byKeyId({ Tags: [{ TagKey: "a", TagValue: "" }] }),
  UntagResource: byKeyId({ TagKeys: ["a"] }),
  UpdateKeyDescription: byKeyId({ Description: "d" }),
  EnableKey: byKeyId(),
  DisableKey: byKeyId(),
  ScheduleKeyDeletion: byKeyId(),
  CancelKeyDeletion: byKeyId(),
  GetKeyLastUsage: byKeyId(),
};

/** Those of keys whose material is imported: the others cannot import, so that they cannot be asked. */
const isOfImports = (operation: string): boolean => operation.includes("Import");

const allCases: Readonly<Record<string, StateCase>> = {
  ...ofSigningKeys,
  ...Object.fromEntries(
    Object.entries(cases)
      .filter(([operation]) => !isOfImports(operation))
      .map(([operation, { kind, input, passes }]) => [
        operation,
        { key: inputs[kind], kind, input, ...(passes === undefined ? {} : { passes }) },
      ]),
  ),
};

type Answer = Readonly<Record<string, unknown>>;

const codeOf = (answer: Answer): string | undefined => (answer.Error as { Code: string } | undefined)?.Code;

async function answerIn(subject: Subject, state: State, operation: string, asked: StateCase): Promise<Answer> {
  const { KeyMetadata } = (await subject.ask("CreateKey", asked.key)) as { KeyMetadata?: { KeyId: string } };
  if (KeyMetadata === undefined) return { Error: { Code: "no such key can be made" } };
  const { KeyId } = KeyMetadata;
  const prepared =
    asked.kind === undefined
      ? { GrantId: "" }
      : await prepare((name, input) => subject.ask(name, input), asked.kind, KeyId);
  if (state === "Disabled") await subject.ask("DisableKey", { KeyId });
  else await subject.ask("ScheduleKeyDeletion", { KeyId, PendingWindowInDays: 7 });
  return subject.ask(operation, asked.input(KeyId, prepared));
}

const codes: Readonly<Record<string, string>> = { D: "DisabledException" };

export async function* stateVerdicts(subject: Subject): AsyncGenerator<Verdict> {
  await subject.reset();
  for (const [operation, asked] of Object.entries(allCases)) {
    for (const [column, state] of [
      [1, "Disabled"],
      [2, "PendingDeletion"],
    ] as const) {
      const cell = table[operation as StateCheckedOperation][column];
      const expected = cell === "ok" ? asked.passes : (codes[cell] ?? "KMSInvalidStateException");
      const isAsAws = codeOf(await answerIn(subject, state, operation, asked)) === expected;
      const title = `${operation} of a key that is ${state}: ${expected ?? "done"}`;
      yield { kind: "states", operation, title, reference: 'aws-kms-behaviour.md, "Key states"', isAsAws };
    }
  }
}
