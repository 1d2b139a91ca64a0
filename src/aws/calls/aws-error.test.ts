/** What AWS, the SDK or something in between throws, as an error of the domain. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { KmsError } from "../../key-manager/ports.ts";
import { credentialsErrorFrom, kmsErrorFrom } from "./aws-error.ts";

/** As the SDK throws what a service answers. */
const exception = (name: string, httpStatusCode: number, message = "no") =>
  Object.assign(new Error(message), {
    name,
    $fault: httpStatusCode < 500 ? "client" : "server",
    $metadata: { httpStatusCode, requestId: "r-1" },
  });

/** As a socket fails. */
const socketError = (code: string, message = code, name = "Error") => Object.assign(new Error(message), { code, name });

describe("kmsErrorFrom", () => {
  for (const [name, status, code] of [
    ["NotFoundException", 400, "NOT_FOUND"],
    ["DisabledException", 400, "DISABLED"],
    ["KMSInvalidStateException", 400, "INVALID_STATE"],
    ["AccessDeniedException", 400, "ACCESS_DENIED"],
    ["ExpiredTokenException", 400, "UNAUTHENTICATED"],
    ["ThrottlingException", 400, "THROTTLED"],
    ["LimitExceededException", 400, "LIMIT_EXCEEDED"],
    ["ValidationException", 400, "INVALID_REQUEST"],
    ["SomethingNew", 400, "INVALID_REQUEST"],
    ["SomethingNew", 403, "ACCESS_DENIED"],
    ["SomethingNew", 429, "THROTTLED"],
    ["SomethingNew", 503, "UNAVAILABLE"],
    ["SyntaxError", 200, "UNAVAILABLE"],
    ["SyntaxError", 301, "UNAVAILABLE"],
  ] as const) {
    it(`${name} with HTTP status ${status} is ${code}`, () => {
      const error = kmsErrorFrom("Sign", exception(name, status));
      assert.equal(error.code, code);
      assert.equal(error.awsName, name);
      assert.equal(error.requestId, "r-1");
      assert.equal(error.outcomeUnknown, status < 400 || status >= 500, "what AWS refuses did not happen");
    });
  }

  for (const [title, thrown, code, outcomeUnknown] of [
    ["a refused connection", socketError("ECONNREFUSED"), "UNAVAILABLE", false],
    ["an unknown host", socketError("ENOTFOUND"), "UNAVAILABLE", false],
    // The SDK's HTTP handler calls this a TimeoutError.
    ["a reset connection", socketError("ECONNRESET", "read ECONNRESET", "TimeoutError"), "UNAVAILABLE", true],
    ["the handler's time limit", socketError("ETIMEDOUT", "exceeded 8000 ms", "TimeoutError"), "TIMEOUT", true],
    [
      "the handler's limit for connecting",
      Object.assign(new Error("the request socket did not establish a connection with the server within 3000 ms"), {
        name: "TimeoutError",
      }),
      "TIMEOUT",
      false,
    ],
    [
      "the system's limit for connecting",
      socketError("ETIMEDOUT", "connect ETIMEDOUT", "TimeoutError"),
      "TIMEOUT",
      false,
    ],
    ["an aborted request", Object.assign(new Error("aborted"), { name: "AbortError" }), "ABORTED", true],
    ["an answer that is no JSON", new SyntaxError("Unexpected token <"), "UNAVAILABLE", true],
    ["something that is no error", "nonsense", "UNAVAILABLE", true],
  ] as const) {
    it(`${title}: ${code}, ${outcomeUnknown ? "and it may have happened" : "and nothing happened"}`, () => {
      const error = kmsErrorFrom("CreateKey", thrown);
      assert.equal(error.code, code);
      assert.equal(error.outcomeUnknown, outcomeUnknown);
    });
  }

  it("withholds a web identity token, wherever it is quoted", () => {
    const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
    const token = `${part({ alg: "RS256" })}.${part({ sub: "system:serviceaccount:spire:server" })}.c2ln-bmF0_dXJl`;
    const { message } = kmsErrorFrom(
      "AssumeRoleWithWebIdentity",
      exception("InvalidIdentityToken", 400, `No: "${token}"!`),
    );
    assert.equal(message, 'No: "[withheld]"!');
  });

  it("cuts what AWS quotes of the request, and endless messages", () => {
    const quoted = kmsErrorFrom(
      "Sign",
      exception("InvalidSignatureException", 403, "wrong\nThe Canonical String: secret"),
    );
    assert.equal(quoted.message, "wrong");
    assert.ok(kmsErrorFrom("Sign", exception("X", 400, "x".repeat(10_000))).message.length < 700);
  });
});

describe("credentialsErrorFrom", () => {
  for (const [title, thrown, code] of [
    ["a token file that is not there", socketError("ENOENT", "ENOENT: no such file or directory"), "UNAUTHENTICATED"],
    ["a profile that does not exist", new Error("Profile unknown could not be found"), "UNAUTHENTICATED"],
    ["a token that STS refuses", exception("InvalidIdentityToken", 400), "UNAUTHENTICATED"],
    ["a role that may not be assumed", exception("AccessDenied", 403), "ACCESS_DENIED"],
    ["STS throttling", exception("Throttling", 400), "THROTTLED"],
    ["STS out of order", exception("InternalFailure", 500), "UNAVAILABLE"],
    ["STS out of reach", socketError("ECONNREFUSED"), "UNAVAILABLE"],
    ["STS silent", socketError("ETIMEDOUT", "exceeded", "TimeoutError"), "TIMEOUT"],
  ] as const) {
    it(`${title}: ${code}, and the call itself was never sent`, () => {
      const error = credentialsErrorFrom("AssumeRole", thrown);
      assert.equal(error.code, code);
      assert.equal(error.operation, "AssumeRole");
      assert.equal(error.outcomeUnknown, false);
    });
  }

  it("survives the way through the SDK as it is", () => {
    const error = credentialsErrorFrom("AssumeRole", exception("AccessDenied", 403));
    assert.ok(error instanceof KmsError);
    assert.equal(kmsErrorFrom("Sign", error), error);
  });
});

describe("what is no name, no request id and no message of AWS's", () => {
  it("stays one readable line", () => {
    const thrown = Object.assign(new Error("first\rsecond"), {
      name: "a\nb c",
      $fault: "client",
      $metadata: { httpStatusCode: 400, requestId: "id\n!" },
    });
    const { awsName, requestId, message, code } = kmsErrorFrom("Sign", thrown);
    assert.deepEqual(
      [awsName, requestId, message, code],
      ["abc", "id", "HTTP 400, but not an answer of AWS's", "UNAVAILABLE"],
    );
    const nameless = Object.assign(new Error("x"), {
      name: "\n",
      $fault: "client",
      $metadata: { httpStatusCode: 400 },
    });
    assert.equal(kmsErrorFrom("Sign", nameless).awsName, "Error");
  });
});

describe("what is no refusal of AWS's", () => {
  /** As the SDK throws what it could not read: without `$fault`. */
  const unread = (error: Error, httpStatusCode: number) => Object.assign(error, { $metadata: { httpStatusCode } });

  for (const [title, thrown, code, message] of [
    [
      "a fault while an error answer is read",
      unread(new TypeError("cleanValue.indexOf is not a function"), 400),
      "UNAVAILABLE",
      /^HTTP 400, but not/,
    ],
    [
      "a page with a status that denies",
      unread(new SyntaxError("Unexpected token < in JSON"), 403),
      "UNAVAILABLE",
      /^HTTP 403, but not/,
    ],
    [
      "a page with a status that throttles",
      unread(new SyntaxError("Unexpected token < in JSON"), 429),
      "THROTTLED",
      /^HTTP 429, but not/,
    ],
    ["an exception without a name", exception("Unknown", 400), "UNAVAILABLE", /^HTTP 400, but not/],
    [
      "an exception with a status that no exception has",
      exception("NotFoundException", 200),
      "UNAVAILABLE",
      /^HTTP 200, but not/,
    ],
    [
      "a final exception with the status of a server's fault",
      exception("NotFoundException", 500),
      "UNAVAILABLE",
      /^no$/,
    ],
    [
      "a fault within the SDK",
      new TypeError("Cannot read properties of undefined (reading 'a')"),
      "UNAVAILABLE",
      /^the call failed in the AWS SDK$/,
    ],
  ] as const) {
    it(`${title}: ${code}, and it may have happened`, () => {
      const error = kmsErrorFrom("ScheduleKeyDeletion", thrown);
      assert.deepEqual([error.code, error.outcomeUnknown], [code, true]);
      assert.match(error.message, message);
      assert.doesNotMatch(error.awsName, /^(Type|Syntax)Error$/);
    });
  }

  it("takes no exception for the SDK's own failures, whatever it is called", () => {
    assert.equal(kmsErrorFrom("Sign", exception("AbortError", 400)).code, "INVALID_REQUEST");
    assert.equal(kmsErrorFrom("Sign", exception("TimeoutError", 500)).code, "UNAVAILABLE");
  });
});
