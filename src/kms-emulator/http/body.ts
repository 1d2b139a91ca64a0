/** Reads the body of a request, up to a limit. */
import type { IncomingMessage } from "node:http";
import { EmulatorError } from "../errors.ts";
import { AwsException } from "../exceptions.ts";

/** Far above any valid request: the largest member is a policy of 128 KiB. */
const maxBodyBytes = 1024 * 1024;

/**
 * The whole request body. Rejects with AwsException when it is too large or compressed, and with EmulatorError
 * CONNECTION_RESET when the client goes away. A body that does not arrive is ended by the server's request timeout.
 */
export function readBody(request: IncomingMessage, maxBytes = maxBodyBytes): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const encoding = request.headers["content-encoding"];
    if (encoding !== undefined && encoding !== "identity" && encoding !== "aws-chunked") {
      reject(new AwsException("UnsupportedMediaTypeException", `Content-Encoding ${encoding} is not supported.`));
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    request.on("data", (chunk: Buffer) => {
      length += chunk.length;
      if (length > maxBytes) {
        // The rest is read and thrown away: a client that is still sending would not see the answer otherwise.
        request.removeAllListeners("data").resume();
        reject(new AwsException("RequestEntityTooLargeException", `Request body exceeds ${maxBytes} bytes.`));
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    const connectionLost = (cause?: Error) => {
      if (request.complete && cause === undefined) return; // the ordinary end of a request
      reject(new EmulatorError("CONNECTION_RESET", "the client went away while it was sending", { cause }));
    };
    request.on("error", connectionLost);
    request.on("close", () => connectionLost());
  });
}
