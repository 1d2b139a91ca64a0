/** Addresses and ranges of addresses, as policies write them: `203.0.113.0/24`, `2001:db8::/32`, or a single address. */
import { BlockList, isIP } from "node:net";

type Family = "ipv4" | "ipv6";

const familyOf = (address: string): Family | undefined => {
  const version = isIP(address);
  if (version === 0) return undefined;
  return version === 6 ? "ipv6" : "ipv4";
};

const ranges = new Map<string, BlockList | undefined>();
const maxRanges = 1_000;

function parseRange(text: string): BlockList | undefined {
  const [address = "", bits] = text.split("/", 2);
  const family = familyOf(address);
  const width = family === "ipv6" ? 128 : 32;
  const prefix = bits === undefined ? width : Number(bits);
  if (!family || !Number.isInteger(prefix) || prefix < 0 || prefix > width) return undefined;
  const list = new BlockList();
  list.addSubnet(address, prefix, family);
  return list;
}

function rangeOf(text: string): BlockList | undefined {
  if (!ranges.has(text)) {
    if (ranges.size >= maxRanges) ranges.clear();
    ranges.set(text, parseRange(text));
  }
  return ranges.get(text);
}

/** False for what is no address or no range. */
export function isInRange(address: string, range: string): boolean {
  const family = familyOf(address);
  return family !== undefined && (rangeOf(range)?.check(address, family) ?? false);
}
