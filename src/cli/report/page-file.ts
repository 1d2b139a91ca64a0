/** Where the page is written: never over a file that is not an earlier page. */
import { open, rename, rm, writeFile } from "node:fs/promises";
import { KeyManagerError } from "../../key-manager/errors.ts";
import { ConfigurationError } from "../configuration/configuration.ts";
import { generator } from "./html/page.ts";

const headBytes = 2_048;

async function headOf(path: string): Promise<string | undefined> {
  try {
    const file = await open(path, "r");
    try {
      const { buffer, bytesRead } = await file.read(Buffer.alloc(headBytes), 0, headBytes, 0);
      return buffer.toString("utf8", 0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return undefined;
    throw new ConfigurationError([`--html: ${path} cannot be read: ${code}`]);
  }
}

/**
 * @throws KeyManagerError `FAILED_PRECONDITION` where another file is in the way
 * @throws ConfigurationError where nothing can be written
 */
export async function requireFree(path: string, isForced: boolean): Promise<void> {
  const head = await headOf(path);
  if (head === undefined || head === "" || isForced) return;
  if (head.includes(`<meta name="generator" content="${generator}">`)) return;
  throw new KeyManagerError(
    "FAILED_PRECONDITION",
    `--html: ${path} is there and is no page of an earlier run; name another file, or say --force`,
  );
}

/** In one piece: who looks at the file sees the page of before or the new one. */
export async function writePage(path: string, page: string): Promise<void> {
  const beside = `${path}.${process.pid}.new`;
  try {
    await writeFile(beside, page, { flag: "wx" });
    await rename(beside, path);
  } catch (error) {
    await rm(beside, { force: true });
    throw new ConfigurationError([`--html: ${path} cannot be written: ${(error as NodeJS.ErrnoException).code}`]);
  }
}
