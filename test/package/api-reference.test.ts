/** docs/plugin-sdk-api.md is what the declarations say. */
import { execFileSync } from "node:child_process";
import { join } from "node:path";
import { it } from "node:test";
import { root } from "./installed-libraries.ts";

it("the API reference is made of the declarations as they are", () => {
  execFileSync(process.execPath, [join(root, "scripts/api-reference.mjs"), "--check"], { stdio: "pipe" });
});
