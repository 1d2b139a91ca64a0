/** The signature of a Sign request, against AWS's library and AWS's own example. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import { KMSClient } from "@aws-sdk/client-kms";
import { SignatureV4 } from "@smithy/signature-v4";
import fc from "fast-check";
import { amzDate, SigV4 } from "./sigv4.ts";

const { sha256 } = new KMSClient({ region: "us-east-2" }).config;

const word = fc.stringMatching(/^[A-Za-z0-9_./+=~-]{1,40}$/);
const credentials = fc.record(
  { accessKeyId: fc.stringMatching(/^[A-Z0-9]{4,20}$/), secretAccessKey: word, sessionToken: word },
  { requiredKeys: ["accessKeyId", "secretAccessKey"] },
);
const scope = fc.record({ region: fc.constantFrom("us-east-2", "cn-north-1"), service: fc.constantFrom("kms", "sts") });
/** Two days and their borders. */
const moment = fc.integer({ min: 0, max: 2 * 86_400 }).map((s) => new Date(Date.UTC(2026, 11, 31) + s * 1000 + 7));
const request = fc.record({
  path: fc.constantFrom("/", "/kms/", "/a-b/c.d/~e/"),
  body: fc.string({ unit: "grapheme", maxLength: 60 }),
  headers: fc.dictionary(fc.stringMatching(/^x-[a-z0-9-]{1,12}$/), word, { maxKeys: 5 }),
});

interface Sample {
  readonly path: string;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

async function byLibrary(
  sample: Sample,
  identity: { accessKeyId: string; secretAccessKey: string; sessionToken?: string },
  { region, service }: { region: string; service: string },
  signingDate: Date,
): Promise<Readonly<Record<string, string>>> {
  const signer = new SignatureV4({ credentials: identity, region, service, sha256 });
  const headers = { host: "kms.test", "user-agent": "x", ...sample.headers };
  const unsigned = { method: "POST", protocol: "https:", hostname: "kms.test", query: {}, ...sample, headers };
  return (await signer.sign(unsigned, { signingDate })).headers;
}

describe("Signature Version 4", () => {
  it("is the library's, for any request of its kind, whoever signs, wherever and on whichever day", async () => {
    const { authorization = "", ...rest } = await byLibrary(
      { path: "/", body: "", headers: {} },
      { accessKeyId: "A", secretAccessKey: "s" },
      { region: "r", service: "s" },
      new Date(0),
    );
    assert.match(authorization, /SignedHeaders=host;x-amz-content-sha256;x-amz-date, /);
    assert.equal(rest["x-amz-date"], amzDate(new Date(0)));
    const sameSigner = fc.tuple(
      credentials,
      scope,
      fc.array(fc.tuple(request, moment), { minLength: 1, maxLength: 5 }),
    );
    await fc.assert(
      fc.asyncProperty(sameSigner, async ([identity, where, samples]) => {
        const sigV4 = new SigV4(identity, where.region, where.service);
        for (const [sample, date] of samples) {
          const { authorization, ...headers } = await byLibrary(sample, identity, where, date);
          const signedHeaders = Object.keys(headers)
            .filter((name) => name !== "user-agent")
            .sort();
          const payloadHash = createHash("sha256").update(sample.body).digest("hex");
          const own = { method: "POST", path: sample.path, headers, signedHeaders, payloadHash };
          assert.equal(sigV4.authorization(own, amzDate(date)), authorization);
        }
      }),
      { seed: 20_261_122, numRuns: 150 },
    );
  });

  it("is AWS's own example (get-vanilla)", () => {
    const identity = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
    const payloadHash = createHash("sha256").update("").digest("hex");
    const authorization = new SigV4(identity, "us-east-1", "service").authorization(
      {
        method: "GET",
        path: "/",
        headers: { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" },
        signedHeaders: ["host", "x-amz-date"],
        payloadHash,
      },
      "20150830T123600Z",
    );
    assert.match(authorization, /Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31$/);
  });
});
