/** What replicas cost, before and after. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { KeyMember } from "../../key-manager/inventory/key-member.ts";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { replicaCostOf, replicaCostText } from "./replica-cost.ts";

const member = (region: string, more: Partial<KeyMember> = {}) =>
  ({ region, isLookedAfter: true, condition: "ready", monthlyCostUsd: 1, ...more }) as unknown as KeyMember;
const row = (more: Partial<KeyRow>) =>
  ({ region: "us-east-1", members: [], isOwnServer: true, class: "in use", ...more }) as unknown as KeyRow;
const textOf = (rows: readonly KeyRow[], regions: readonly string[]) => {
  const cost = replicaCostOf(rows, regions);
  return cost && replicaCostText(cost);
};

it("the cost of replicas is told for this server's keys, now, with all replicas and without", () => {
  const rows = [
    row({ members: [member("us-west-2"), member("eu-west-1", { condition: "unusable", monthlyCostUsd: 0 })] }),
    row({}),
    row({ isOwnServer: false, members: [member("us-west-2")] }),
    row({ class: "stale" }),
  ];
  assert.equal(
    textOf(rows, ["us-west-2", "eu-west-1"]),
    "this server's keys in use, with replicas: $3.00 a month; $6.00 once each has one in us-west-2, eu-west-1, and $2.00 without replicas",
  );
});

it("replicas that others made are counted where there are any, and nothing is said where there are none", () => {
  const others = [row({ members: [member("ap-south-1", { isLookedAfter: false })] })];
  assert.equal(textOf(others, []), "this server's keys in use, with replicas: $2.00 a month, and $1.00 without");
  assert.match(textOf(others, ["us-west-2"]) ?? "", /\$2\.00 a month; \$3\.00 once each has one in us-west-2/);
  assert.equal(textOf([row({})], []), undefined);
  assert.equal(textOf([], ["us-west-2"]), undefined);
});
