/** A BundlePublisher that counts what it is given. */
import { bundlePublisher } from "../../../../src/plugin-sdk/index.ts";
import { count, refuse, serveFixture, waitForever } from "./fixture.ts";

await serveFixture(
  "BundlePublisher",
  bundlePublisher({
    async publishBundle({ trustDomain, x509Authorities, jwtAuthorities }, context) {
      if (trustDomain === "refuse") refuse("UNAVAILABLE", "bundle");
      if (trustDomain === "wait") await waitForever(context);
      count("published", trustDomain, String(x509Authorities.length), String(jwtAuthorities.length));
    },
  }),
);
