/** The model that the emulator is built on knows what the AWS SDK knows. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as sdk from "@aws-sdk/client-kms";
import { kmsExceptions, kmsModel } from "../../../src/kms-emulator/model/kms-model.gen.ts";
import { operations } from "../../../src/kms-emulator/operations/index.ts";

/** Enumerations of the SDK are objects whose values are their names. */
const enumerationOf = (name: string): string[] | undefined => {
  const value = (sdk as Readonly<Record<string, unknown>>)[name];
  return typeof value === "object" && value !== null ? Object.values(value as Record<string, string>) : undefined;
};

describe("the service model", () => {
  it("has the operations of the SDK, and the emulator has them all", () => {
    const commands = Object.keys(sdk).flatMap((name) => /^(?!\$)(\w+)Command$/.exec(name)?.[1] ?? []);
    const ours = Object.keys(kmsModel.operations).sort();
    assert.deepEqual(
      commands.filter((name) => name !== "$" && !ours.includes(name)),
      [],
    );
    assert.deepEqual(
      ours.filter((name) => operations.get(name)?.service !== "kms"),
      [],
    );
  });

  it("has the values of the SDK's enumerations", () => {
    let compared = 0;
    for (const [name, { enum: values }] of Object.entries(kmsModel.shapes)) {
      const theirs = values && enumerationOf(name);
      if (!theirs) continue;
      compared += 1;
      assert.deepEqual(
        theirs.filter((value) => !values.includes(value)),
        [],
        name,
      );
    }
    assert.ok(compared > 15, `${compared} enumerations`);
  });

  it("has the SDK's exceptions", () => {
    const theirs = Object.keys(sdk).filter((name) => /Exception$/.test(name) && name !== "KMSServiceException");
    assert.deepEqual(
      theirs.filter((name) => !kmsExceptions.includes(name)),
      [],
    );
  });
});
