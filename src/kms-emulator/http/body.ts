import type { IncomingMessage } from "node:http";
import { AwsException } from "../exceptions.ts";

/** Far above any valid request: the largest member is a policy of 128 KiB. */
export const maxBodyBytes = 1024 * 1024;

/**
 * The whole request body. Rejects with AwsException when it is too large or compressed, and with the stream's error when
 * the client goes away. A body that does not arrive is ended by the server's request timeout.
 */
export function readBody(request: IncomingMessage): Promise<Buffer> {
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
      if (length > maxBodyBytes) {
        // The rest is read and thrown away: a client that is still sending would not see the answer otherwise.
        request.removeAllListeners("data").resume();
        reject(new AwsException("RequestEntityTooLargeException", `Request body exceeds ${maxBodyBytes} bytes.`));
        return;
      }
      chunks.push(chunk);
    });
    request.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    request.on("error", reject);
    request.on("close", () => reject(new Error("the client went away")));
  });
}
