/** Reading the whole of an answer's body. */
import type { Readable } from "node:stream";

const brokenOff = () => new Error("the answer broke off");

/** @throws what broke the body off */
export function collect(body: Readable): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    // What was broken off before there was a reader says nothing more.
    if (body.destroyed) return reject(body.errored ?? brokenOff());
    const chunks: Buffer[] = [];
    body.on("data", (chunk: Buffer) => chunks.push(chunk));
    body.once("end", () => resolve(chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)));
    body.once("error", reject);
    body.once("close", () => reject(brokenOff()));
  });
}
