import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { lookAlikes, slowSettings } from "../simulation/histories/fleet-plan.ts";
import { firstViolation } from "./assert-histories.ts";
import { knownFaults } from "./known-faults.ts";

const options = { trustDomains: lookAlikes.prefixes, settings: slowSettings, maxSteps: 12, count: 120 };

describe("the histories notice the faults that SPIRE's built-in plugin has or had", () => {
  for (const { fault, seams, shows, trustDomains = lookAlikes.prefixes } of knownFaults) {
    it(fault, async (context) => {
      const violation = await firstViolation({ ...options, trustDomains }, seams, shows);
      assert.ok(violation !== undefined, "nothing was noticed");
      context.diagnostic(violation);
    });
  }
});
