/** JSON 1.1 bodies: bytes travel as base64, times as seconds since the epoch with milliseconds as the fraction. */
export function toWire(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (Array.isArray(value)) return value.map(toWire);
  const wire: Record<string, unknown> = {};
  for (const name in value) {
    const member = (value as Record<string, unknown>)[name];
    wire[name] = typeof member === "object" ? toWire(member) : member;
  }
  return wire;
}
