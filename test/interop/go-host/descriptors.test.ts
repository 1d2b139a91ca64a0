/** Our .proto files say what those of spire-plugin-sdk say: packages, messages, numbers, types, streams. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import path from "node:path";
import { describe, it } from "node:test";
import { describeOurs } from "./descriptors.ts";

/** What `go-host describe` printed; `go-plugin.interop.test.ts` holds it against the Go module. */
const recorded = readFileSync(path.join(import.meta.dirname, "sdk-descriptors.txt"), "utf8")
  .trim()
  .split("\n");

describe("our .proto files, held to recorded descriptors of spire-plugin-sdk", () => {
  it("name every service, message, field and value of SPIRE, and no other", async () => {
    const theirs = recorded.filter((line) => / spire\./.test(line));
    assert.ok(theirs.length > 200);
    assert.deepEqual(await describeOurs("spire"), theirs);
  });

  it("say of gRPC's error details what Google says", async () => {
    const ours = await describeOurs("google.rpc");
    assert.ok(ours.length > 10);
    assert.deepEqual(
      ours.filter((line) => !recorded.includes(line)),
      [],
    );
  });
});
