/** An UpstreamAuthority whose roots change twice. */
import { upstreamAuthority } from "../../../../src/plugin-sdk/index.ts";
import { bytes, refuse, serveFixture, text, waitForever } from "./fixture.ts";

await serveFixture(
  "UpstreamAuthority",
  upstreamAuthority({
    async *mintX509CAAndSubscribe({ csr, preferredTtl }, context) {
      if (text(csr) === "refuse") refuse("FAILED_PRECONDITION", "csr");
      const [root, root2] = [bytes("root"), bytes("root2")];
      const x509CaChain = [bytes(`${text(csr)} for ${preferredTtl}`), bytes("intermediate")];
      yield { x509CaChain, upstreamX509Roots: [root] };
      if (text(csr) === "wait") await waitForever(context);
      yield { upstreamX509Roots: [root, root2] };
      yield { upstreamX509Roots: [{ asn1: root, tainted: true }, root2] };
    },
    async *publishJWTKeyAndSubscribe(jwtKey) {
      yield [jwtKey];
      yield [jwtKey, { keyId: "other" }];
    },
  }),
);
