/** A new project of each kind: made from the packed library, built, tested. */
import { after, before, describe, it } from "node:test";
import { kindNames } from "../../src/plugin-sdk/command/templates/kinds.ts";
import { openWorkshop, type Workshop } from "./projects.ts";

describe("a new project of each kind builds and passes", { timeout: 900_000 }, () => {
  let workshop: Workshop;
  before(() => {
    workshop = openWorkshop();
  });
  after(() => workshop.remove());

  for (const kind of kindNames) {
    it(kind, () => {
      const name = kind.replaceAll("-", "_");
      workshop.command("create", kind, name);
      workshop.npm(name, "test");
    });
  }
});
