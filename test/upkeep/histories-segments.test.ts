import { describe, it } from "node:test";
import { lookAlikes, slowSettings } from "../simulation/histories/fleet-plan.ts";
import { assertHistories } from "./assert-histories.ts";

const trustDomains = lookAlikes.segments;

describe(`months of servers of ${trustDomains.join(" and ")} that come, crash, rotate, switch modes and go`, () => {
  it("no key in use is scheduled, everything unused is in time, nothing of others is touched", (context) =>
    assertHistories(context, { trustDomains, settings: slowSettings, maxSteps: 12, count: 500 }));

  it("the same in the default rhythm", (context) =>
    assertHistories(context, { trustDomains, settings: {}, maxSteps: 4, count: 2 }));
});
