/** Listings in pages: to the last one, and never without end. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sleeplessClock } from "../../../test/simulation/virtual-time.ts";
import { isKmsError } from "../../key-manager/ports.ts";
import { noTelemetry } from "../../key-manager/telemetry.ts";
import { pages } from "./pages.ts";

const clock = sleeplessClock();
const caller = { clock, telemetry: noTelemetry, discardCredentials: () => false };

/** The items of a listing whose pages lead from marker to marker. */
async function list(
  next: (marker: string | undefined) => string | undefined,
): Promise<readonly (string | undefined)[]> {
  const found: (string | undefined)[] = [];
  const listing = pages({
    operation: "ListAliases",
    caller,
    signal: undefined,
    fetch: async (marker) => ({ items: [marker], next: next(marker) }),
  });
  for await (const { items } of listing) found.push(...items);
  return found;
}

describe("pages", () => {
  it("follows markers to the last page, which has none or an empty one", async () => {
    assert.deepEqual(await list((marker) => (marker === undefined ? "a" : marker === "a" ? "b" : undefined)), [
      undefined,
      "a",
      "b",
    ]);
    assert.deepEqual(await list(() => ""), [undefined]);
  });

  for (const [title, next] of [
    ["one marker again and again", () => "a"],
    ["markers in a circle", (marker: string | undefined) => (marker === "a" ? "b" : "a")],
  ] as const) {
    it(`does not follow ${title}`, async () => {
      await assert.rejects(list(next), (error) => isKmsError(error, "UNAVAILABLE"));
    });
  }

  it("does not follow new markers without end", async () => {
    let count = 0;
    await assert.rejects(
      list(() => `marker ${count++}`),
      (error) => isKmsError(error, "UNAVAILABLE") && error.message.includes("more than 100000 pages"),
    );
  });

  it("does not follow empty pages without end, but a few of them", async () => {
    const follow = async (end: number) => {
      const found: string[] = [];
      let count = 0;
      const listing = pages<string>({
        operation: "GetResources",
        caller,
        signal: undefined,
        fetch: async () => {
          count++;
          return count < end ? { items: [], next: `marker ${count}` } : { items: ["last"], next: undefined };
        },
      });
      for await (const { items } of listing) found.push(...items);
      return found;
    };
    assert.deepEqual(await follow(500), ["last"]);
    await assert.rejects(
      follow(Number.POSITIVE_INFINITY),
      (error) => isKmsError(error, "UNAVAILABLE") && error.message.includes("1000 empty pages in a row"),
    );
  });
});
