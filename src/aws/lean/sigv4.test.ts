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
/** Requests that one signer signs: with the same headers, and other values in them. */
const requests = fc.uniqueArray(fc.stringMatching(/^x-[a-z0-9-]{1,12}$/), { maxLength: 5 }).chain((names) => {
  const headers = fc.record(Object.fromEntries(names.map((name) => [name, word])));
  const path = fc.constantFrom("/", "/kms/", "/a-b/c.d/~e/");
  const body = fc.string({ unit: "grapheme", maxLength: 60 });
  const request = fc.record({ path, body, headers: headers.map((values) => ({ ...values })) });
  return fc.array(fc.tuple(request, moment), { minLength: 1, maxLength: 5 });
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

/** As AWS describes it. */
function canonicalRequest(
  method: string,
  { path, body }: Pick<Sample, "path" | "body">,
  headers: Readonly<Record<string, string>>,
  names: readonly string[],
): string {
  const lines = names.map((name) => `${name}:${headers[name]}\n`);
  const payloadHash = createHash("sha256").update(body).digest("hex");
  return `${method}\n${path}\n\n${lines.join("")}\n${names.join(";")}\n${payloadHash}`;
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
    assert.equal(rest["x-amz-date"], amzDate(0));
    const sameSigner = fc.tuple(credentials, scope, requests);
    await fc.assert(
      fc.asyncProperty(sameSigner, async ([identity, where, samples]) => {
        let sigV4: SigV4 | undefined;
        for (const [sample, date] of samples) {
          const { authorization, ...headers } = await byLibrary(sample, identity, where, date);
          const names = Object.keys(headers)
            .filter((name) => name !== "user-agent")
            .sort();
          sigV4 ??= new SigV4({ credentials: identity, ...where, signedHeaders: names.join(";") });
          const own = canonicalRequest("POST", sample, headers, names);
          assert.equal(sigV4.authorization(own, amzDate(date.getTime())), authorization);
        }
      }),
      { seed: 20_261_122, numRuns: 150 },
    );
  });

  it("is AWS's own example (get-vanilla)", () => {
    const identity = { accessKeyId: "AKIDEXAMPLE", secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY" };
    const headers = { host: "example.amazonaws.com", "x-amz-date": "20150830T123600Z" };
    const own = canonicalRequest("GET", { path: "/", body: "" }, headers, Object.keys(headers));
    const where = { region: "us-east-1", service: "service", signedHeaders: "host;x-amz-date" };
    const authorization = new SigV4({ credentials: identity, ...where }).authorization(own, "20150830T123600Z");
    assert.match(authorization, /Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31$/);
  });
});
