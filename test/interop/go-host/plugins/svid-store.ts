/** An SVIDStore that counts what it is given. */
import { svidStore } from "../../../../src/plugin-sdk/index.ts";
import { count, refuse, serveFixture, waitForever } from "./fixture.ts";

await serveFixture(
  "SVIDStore",
  svidStore({
    async putX509SVID({ svid, metadata, federatedBundles }, context) {
      const name = svid.spiffeID.split("/").at(-1) ?? "";
      if (name === "refuse") refuse("RESOURCE_EXHAUSTED", "svid");
      if (name === "wait") await waitForever(context);
      if (metadata[0] !== `name:${name}`) throw new Error(`metadata are ${metadata.join()}`);
      count("put", name, ...Object.keys(federatedBundles), String(svid.expiresAt));
    },
    deleteX509SVID: (metadata) => count("deleted", ...metadata),
  }),
);
