/** Every constraint that AWS's service model puts on an input is refused in AWS's words. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { AwsException, type EmulatorControl } from "../../../src/kms-emulator/index.ts";
import { createTestEngine } from "../../fixtures/test-emulator.ts";
import { expectedText, withSortedValues } from "./expected-text.ts";
import { type ConstraintProbe, constraintProbes, operationNames } from "./probes.ts";

type Call = (operation: string, input: unknown) => Promise<unknown>;

async function refusalOf(control: EmulatorControl, { operation, input }: ConstraintProbe): Promise<[string, string]> {
  try {
    await (control.call as Call)(operation, input);
  } catch (error) {
    if (error instanceof AwsException) return [error.code, withSortedValues(error.message)];
    throw error;
  }
  return ["", "it was accepted"];
}

describe("the constraints of the service model", () => {
  for (const operation of operationNames) {
    const probes = constraintProbes(operation);
    it(`of ${operation}: ${probes.length}`, async () => {
      const { control } = createTestEngine();
      for (const probe of probes) {
        const expected = ["ValidationException", expectedText(probe)];
        assert.deepEqual(await refusalOf(control, probe), expected, `${operation} ${probe.title}`);
      }
    });
  }

  it("are many, of every kind", () => {
    const titles = operationNames.flatMap((operation) => constraintProbes(operation).map(({ title }) => title));
    assert.ok(titles.length > 500, String(titles.length));
    for (const kind of [/: required$/, /: enum$/, /: pattern$/, /: min /, /: max /, /, an element: /]) {
      assert.ok(
        titles.some((title) => kind.test(title)),
        String(kind),
      );
    }
  });
});
