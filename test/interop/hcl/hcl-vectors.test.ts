import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { HclError } from "../../../src/hcl/index.ts";
import { decodeTyped } from "./comparison.ts";
import { readVectors } from "./vectors.ts";

const leastVectors = 300;

/** What Go answered once, so that no Go is needed to hold the parser to it. */
describe("HCL, held to recorded answers of github.com/hashicorp/hcl v1", () => {
  it("reads every sample as hcl1 read it, and refuses what it refused", async () => {
    const vectors = await readVectors();
    assert.ok(vectors.length >= leastVectors);
    for (const { text, decoded } of vectors) {
      if (decoded) assert.deepEqual(JSON.parse(JSON.stringify(decodeTyped(text))), decoded, JSON.stringify(text));
      else assert.throws(() => decodeTyped(text), HclError, JSON.stringify(text));
    }
  });
});
