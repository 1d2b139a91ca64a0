/** A Notifier that counts what it hears. */
import { notifier } from "../../../../src/plugin-sdk/index.ts";
import { count, refuse, serveFixture, waitForever } from "./fixture.ts";

await serveFixture(
  "Notifier",
  notifier({
    async bundleUpdated({ trustDomain, sequenceNumber }, context) {
      if (trustDomain === "wait") await waitForever(context);
      count("updated", trustDomain, String(sequenceNumber));
    },
    bundleLoaded({ trustDomain, x509Authorities, jwtAuthorities }) {
      if (trustDomain === "refuse") refuse("UNAVAILABLE", "bundle");
      count("loaded", trustDomain, String(x509Authorities.length), String(jwtAuthorities.length));
    },
  }),
);
