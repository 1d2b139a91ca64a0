/** The SHA-256 of an executable, compared before the file is started. */
import { createHash, timingSafeEqual } from "node:crypto";
import { createReadStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { GoPluginError } from "../errors.ts";

/** Hex SHA-256 of one file, as `sha256sum` prints it. */
export async function sha256OfFile(file: string): Promise<string> {
  const hash = createHash("sha256");
  await pipeline(createReadStream(file), hash);
  return hash.digest("hex");
}

/** @throws GoPluginError `CHECKSUM_INVALID`, `CHECKSUM_MISMATCH`, and `START_FAILED` when the file cannot be read */
export async function verifyChecksum(file: string, expected: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/i.test(expected)) {
    throw new GoPluginError("CHECKSUM_INVALID", `checksum "${expected}" is no SHA-256 in 64 hexadecimal digits`);
  }
  let actual: string;
  try {
    actual = await sha256OfFile(file);
  } catch (cause) {
    throw new GoPluginError("START_FAILED", `cannot read plugin "${file}": ${(cause as Error).message}`, { cause });
  }
  if (timingSafeEqual(Buffer.from(actual, "hex"), Buffer.from(expected, "hex"))) return;
  throw new GoPluginError(
    "CHECKSUM_MISMATCH",
    `plugin "${file}" has SHA-256 ${actual}, not ${expected.toLowerCase()}; it was not started`,
  );
}
