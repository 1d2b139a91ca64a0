import { describe } from "node:test";
import { useSigner } from "../harness/signer.ts";
import { describeCertificates } from "./signatures/certificates.ts";
import { describeDigests } from "./signatures/digests.ts";
import { describeJwts } from "./signatures/jwts.ts";
import { describeWrongSignatures } from "./signatures/wrong-signatures.ts";

describe("signatures of the plugin", () => {
  const signer = useSigner();
  describeCertificates(signer);
  describeJwts(signer);
  describeDigests(signer);
  describeWrongSignatures(signer);
});
