/** What a server may answer to any operation: good answers in every form, refusals, nonsense, and every kind of broken connection. */
import type { RequestListener } from "node:http";
import { answering, cut, exception, hourAhead, raw, secret } from "./stage.ts";

export const answersTo = (good: string): Readonly<Record<string, RequestListener>> => ({
  "an answer": answering(200, good),
  "an answer in chunks": (_, response) => {
    response.write(good.slice(0, 20));
    setImmediate(() => response.end(good.slice(20)));
  },
  "an answer and more": answering(200, `{"Extra":{"a":[1]},${good.slice(1)}`),
  "an answer with white space": answering(200, ` \n${good}\n`),
  "an answer behind a byte order mark": answering(200, `\ufeff${good}`),
  "an answer and another": answering(200, good.replace("}", ',"Signature":"BAUG"}')),
  "an answer with status 201": answering(201, good),
  "an answer with status 299": answering(299, good),
  "an answer with status 300": answering(300, good),
  "an answer with a date": answering(200, good, { date: "Thu, 01 Jan 1970 00:00:00 GMT" }),
  "an answer as text": answering(200, good, { "content-type": "text/html" }),
  "a list": answering(200, "[1]"),
  null: answering(200, "null"),
  "a number": answering(200, "5"),
  "a string": answering(200, '"AQID"'),
  "nothing with status 200": answering(200, ""),
  "nothing with status 204": (_, response) => response.writeHead(204).end(),
  "half a JSON": answering(200, good.slice(0, 30)),
  "a web page with status 200": answering(200, "<html><body>Sign in</body></html>"),
  "bytes with status 200": answering(200, Buffer.from([0xff, 0xfe, 0x00, 0x7b])),
  "a redirection": answering(302, "", { location: "http://elsewhere.test/" }),
  "not modified": (_, response) => response.writeHead(304).end(),
  "a modelled exception": exception("DisabledException", "arn is disabled."),
  "an exception with a namespace": exception("com.amazonaws.kms#NotFoundException"),
  "an exception with a suffix": exception("KMSInvalidStateException:http://internal.amazon.com/coral/"),
  "an exception with both": exception("com.amazonaws.kms#DisabledException:http://internal/"),
  "an exception in a header": answering(400, "{}", { "x-amzn-errortype": "DisabledException:http://internal/" }),
  "an exception in a header and another in the body": exception("NotFoundException", "no", 400, {
    "x-amzn-errortype": "DisabledException",
  }),
  "an exception as code": answering(400, JSON.stringify({ code: "ThrottlingException", Message: "Slow down" })),
  "an exception that has no type": answering(400, JSON.stringify({ message: "no" })),
  "an exception whose type is a number": answering(400, JSON.stringify({ __type: 5, message: "no" })),
  "an exception whose message is an object": answering(400, JSON.stringify({ __type: "X", message: { a: 1 } })),
  "an exception without a message": answering(400, JSON.stringify({ __type: "DisabledException" })),
  "an unknown exception": exception("SomethingNewException"),
  "an unknown exception with status 500": exception("SomethingNewException", "no", 500),
  "an exception with status 200": exception("DisabledException", "no", 200),
  throttling: exception("ThrottlingException", "Rate exceeded"),
  "throttling that names a secret": exception("ThrottlingException", `no ${secret.secretAccessKey}`),
  "throttling with more members": answering(
    400,
    JSON.stringify({ __type: "ThrottlingException", message: "no", a: 1 }),
  ),
  "throttling without a message": answering(400, JSON.stringify({ __type: "ThrottlingException" })),
  "throttling in another status": exception("ThrottlingException", "Rate exceeded", 429),
  "throttling by another name in a header": exception("ThrottlingException", "Rate exceeded", 400, {
    "x-amzn-errortype": "DisabledException",
  }),
  "throttling with odd request ids": exception("ThrottlingException", "Rate exceeded", 400, {
    "x-amzn-requestid": "a b<c>",
  }),
  "throttling by a skewed clock": exception("ThrottlingException", "Rate exceeded", 400, { date: hourAhead() }),
  "a limit": exception("LimitExceededException", "You have exceeded the rate"),
  "KMS out of order": exception("KMSInternalException", "no", 500),
  "a dependency's timeout": exception("DependencyTimeoutException", "no", 503),
  "a refused key": exception("AccessDeniedException", "User is not authorized to perform kms:Sign"),
  "an unknown token": exception("UnrecognizedClientException", "The security token is invalid."),
  "an expired token": exception("ExpiredTokenException", "The security token is expired"),
  "a wrong signature that quotes the request": exception(
    "InvalidSignatureException",
    `wrong ${secret.sessionToken} and ${secret.secretAccessKey}\nThe Canonical String: x`,
    403,
  ),
  "a secret in a page": answering(502, `<html>${secret.secretAccessKey}</html>`),
  "a skewed clock": exception("InvalidSignatureException", "Signature expired", 400, { date: hourAhead() }),
  "a skewed clock by a cache": exception("InvalidSignatureException", "expired", 400, { date: hourAhead(), age: "5" }),
  "a refusal with a date that is none": exception("RequestTimeTooSkewed", "no", 403, { date: "yesterday" }),
  "no word with status 400": answering(400, ""),
  "no word with status 403": answering(403, ""),
  "no word with status 404": answering(404, ""),
  "no word with status 429": answering(429, ""),
  "no word with status 500": answering(500, ""),
  "no word with status 503": answering(503, ""),
  "a web page with status 502": answering(502, "<html><h1>Bad Gateway</h1></html>", { "content-type": "text/html" }),
  "a web page with status 403": answering(403, "<html>blocked</html>"),
  "a list with status 400": answering(400, "[]"),
  "null with status 400": answering(400, "null"),
  "another request id's name": (_, response) => response.writeHead(400, { "x-amz-request-id": "r-2" }).end("{}"),
  "two request ids": (_, response) =>
    response
      .writeHead(
        400,
        [
          ["x-amzn-requestid", "a"],
          ["x-amzn-requestid", "b"],
        ].flat(),
      )
      .end("{}"),
  "a broken connection": (_, response) => response.destroy(),
  "a connection that breaks after the headers": (_, response) => {
    response.writeHead(200, { "content-length": "500" }).flushHeaders();
    cut(response);
  },
  "a connection that breaks in the middle": (_, response) => {
    response.writeHead(200, { "content-length": String(good.length) }).write(good.slice(0, 20));
    cut(response);
  },
  "a connection that breaks in chunks": (_, response) => {
    response.write(good);
    cut(response);
  },
  "a refusal that breaks off": (_, response) => {
    response.writeHead(400, { "content-length": "500" }).write('{"__type":');
    cut(response);
  },
  "an answer in another version of HTTP": raw(`HTTP/1.0 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`),
  "an answer to the end of the connection": raw(`HTTP/1.1 200 OK\r\n\r\n${good}`),
  "two lengths": raw(`HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\nContent-Length: 5\r\n\r\n${good}`),
  "a length that is none": raw(`HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\n${good}`),
  "a length and chunks": raw(
    `HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n${good.slice(0, 5)}\r\n0\r\n\r\n`,
  ),
  "bare line feeds": raw(`HTTP/1.1 200 OK\nContent-Length: ${good.length}\n\n${good}`),
  "a folded header": raw(`HTTP/1.1 200 OK\r\nX-A: b\r\n c\r\nContent-Length: ${good.length}\r\n\r\n${good}`),
  "a space before the colon": raw(`HTTP/1.1 200 OK\r\nContent-Length : ${good.length}\r\n\r\n${good}`),
  "a header twice": raw(`HTTP/1.1 200 OK\r\nX-A: b\r\nX-A: c\r\nContent-Length: ${good.length}\r\n\r\n${good}`),
  "an answer and more bytes": raw(
    `HTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}HTTP/1.1 200 OK\r\n\r\n`,
  ),
  "an answer behind another to expect it": raw(
    `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: ${good.length}\r\n\r\n${good}`,
  ),
  "a head without end": raw(`HTTP/1.1 200 OK\r\nX-A: ${"a".repeat(20_000)}`),
  "an answer that takes the connection with it": answering(200, good, { connection: "close" }),
  "a chunk of no length": raw("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n"),
  "nothing at all": raw(""),
  "an empty line": raw("\r\n\r\n"),
  "something that is not HTTP": (_, response) => response.socket?.end("SSH-2.0-OpenSSH_9.2\r\n"),
});

/** Those for which the time limit has to come. */
export const endless: Readonly<Record<string, RequestListener>> = {
  "no answer": () => undefined,
  "an answer that never ends": (_, response) => {
    response.writeHead(200, { "content-length": "500" }).write("{");
  },
  "a refusal that never ends": (_, response) => {
    response.writeHead(400).write("{");
  },
  "a protocol to switch to": raw("HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n\r\n"),
};

/** All that KMS documents for these operations and for every call, and what stands in its place in other services. */
export const exceptions = [
  ["DependencyTimeoutException", 500],
  ["DisabledException", 400],
  ["DryRunOperationException", 400],
  ["InvalidGrantTokenException", 400],
  ["InvalidKeyUsageException", 400],
  ["KeyUnavailableException", 500],
  ["KMSInternalException", 500],
  ["KMSInvalidStateException", 400],
  ["NotFoundException", 400],
  ["AccessDeniedException", 400],
  ["ExpiredTokenException", 400],
  ["IncompleteSignature", 400],
  ["InternalFailure", 500],
  ["InvalidSignatureException", 400],
  ["LimitExceededException", 400],
  ["MalformedHttpRequestException", 400],
  ["MissingAuthenticationTokenException", 400],
  ["NotAuthorized", 400],
  ["OptInRequired", 403],
  ["RequestAbortedException", 400],
  ["RequestEntityTooLargeException", 413],
  ["RequestExpired", 400],
  ["RequestTimeoutException", 408],
  ["RequestTimeTooSkewed", 403],
  ["ServiceUnavailable", 503],
  ["SerializationException", 400],
  ["SlowDown", 503],
  ["Throttling", 400],
  ["ThrottledException", 400],
  ["ThrottlingException", 400],
  ["TooManyRequestsException", 429],
  ["UnknownOperationException", 400],
  ["UnrecognizedClientException", 400],
  ["ValidationException", 400],
] as const;
