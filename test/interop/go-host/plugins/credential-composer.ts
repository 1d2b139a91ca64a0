/** A CredentialComposer that adds a little everywhere. */
import { credentialComposer, type X509SVIDAttributes } from "../../../../src/plugin-sdk/index.ts";
import { refuse, serveFixture, text } from "./fixture.ts";

const extension = { oid: "1.2.3.4", value: new Uint8Array([5, 0]), critical: true };

const withSan = (attributes: X509SVIDAttributes, san: string) => ({
  ...attributes,
  dnsSans: [...attributes.dnsSans, san],
  extraExtensions: [extension],
});

await serveFixture(
  "CredentialComposer",
  credentialComposer({
    composeServerX509CA: (attributes) => ({ ...attributes, policyIdentifiers: ["1.2.3"] }),
    composeServerX509SVID: (attributes) => withSan(attributes, "server"),
    composeAgentX509SVID: (attributes, { spiffeId, publicKey }) =>
      withSan(attributes, `${spiffeId} ${text(publicKey)}`),
    composeWorkloadX509SVID(_attributes, { spiffeId }) {
      if (spiffeId === "refuse") refuse("INVALID_ARGUMENT", "workload");
      return undefined;
    },
    composeWorkloadJWTSVID: (claims, { spiffeId }) => ({ ...claims, who: spiffeId }),
  }),
);
