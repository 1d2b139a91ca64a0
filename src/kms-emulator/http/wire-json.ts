/** JSON 1.1 bodies: bytes travel as base64, times as seconds since the epoch with milliseconds as the fraction. */
export function toWire(value: unknown): unknown {
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value.buffer, value.byteOffset, value.length).toString("base64");
  if (Array.isArray(value)) return value.map(toWire);
  if (typeof value !== "object" || value === null) return value;
  const wire: Record<string, unknown> = {};
  for (const name in value) wire[name] = toWire((value as Record<string, unknown>)[name]);
  return wire;
}
