/** The names that a certificate is good for. */
import { isIP } from "node:net";
import { EmulatorError } from "../errors.ts";

const label = "[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?";
const dnsPattern = new RegExp(`^(?:\\*\\.)?${label}(?:\\.${label})*$`, "i");

/** Where clients on this machine find the emulator. */
const loopback = ["localhost", "127.0.0.1", "::1"];

/** Listening on every address says nothing about the one that clients connect to. */
const isAnyAddress = (name: string): boolean => name === "0.0.0.0" || name === "::";

export const isAddress = (name: string): boolean => isIP(name) !== 0;

function requireName(name: string): string {
  if (isAddress(name) || (name.length <= 253 && dnsPattern.test(name))) return name.toLowerCase();
  throw new EmulatorError(
    "INVALID_OPTION",
    `tls: ${JSON.stringify(name)} is neither a DNS name nor an address; it must look like kms.test, *.kms.test or 10.0.0.5`,
  );
}

/** Names of loopback, of the address that is listened on, and those that were asked for; each once. */
export function certificateNames(host: string, asked: readonly string[] = []): readonly string[] {
  const own = isAnyAddress(host) ? [] : [host];
  return [...new Set([...loopback, ...own, ...asked].map(requireName))];
}
