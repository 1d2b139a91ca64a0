/** Every operation is refused to a caller without its permission, and done for one who has no other. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { operationNames } from "../service-model/probes.ts";
import { neverAnswered } from "../service-model/scenario.ts";
import { askedByBoth } from "./permissions.ts";

describe("the permissions", () => {
  it("of each operation are needed, and are enough", async () => {
    const counts = await askedByBoth();
    const expected = operationNames.filter((name) => !neverAnswered.includes(name));
    assert.deepEqual([...counts.keys()].sort(), expected.sort());
  });
});
