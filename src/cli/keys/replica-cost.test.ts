/** What replicas cost, before and after. */
import assert from "node:assert/strict";
import { it } from "node:test";
import type { KeyRow } from "../../key-manager/inventory/key-row.ts";
import { replicaCostText } from "./replica-cost.ts";

const row = (more: Partial<KeyRow>) =>
  ({ region: "us-east-1", replicas: [], isOwnServer: true, class: "in use", ...more }) as unknown as KeyRow;

it("the cost of replicas is told for this server's keys, now, with all replicas and without", () => {
  const rows = [
    row({ replicas: ["us-west-2", "us-east-1"] }),
    row({}),
    row({ isOwnServer: false }),
    row({ class: "stale" }),
  ];
  assert.equal(
    replicaCostText(rows, ["us-west-2", "eu-west-1"]),
    "this server's keys in use, with replicas: $3.00 a month; $6.00 once each has one in us-west-2, eu-west-1, and $2.00 without replicas",
  );
  assert.equal(replicaCostText(rows, []), undefined);
  assert.equal(replicaCostText([], ["us-west-2"]), undefined);
});
