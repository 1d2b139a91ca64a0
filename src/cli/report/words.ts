/** Times, numbers and names as the page writes them; always in UTC and in English, wherever it is made. */

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (value: number): string => String(value).padStart(2, "0");
const dayMs = 86_400_000;

export const dayText = (time: Date): string =>
  `${time.getUTCDate()} ${months[time.getUTCMonth()]} ${time.getUTCFullYear()}`;

export const timeText = (time: Date): string =>
  `${dayText(time)}, ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`;

export const timeOrDash = (time: Date | undefined): string => (time === undefined ? "–" : timeText(time));

export const numberText = (value: number): string => {
  const [whole = "", part] = String(Math.round(value * 100) / 100).split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+$)/g, ",");
  return part === undefined ? grouped : `${grouped}.${part}`;
};

export const usd = (value: number): string => `$${numberText(value)}`;

export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${numberText(count)} ${count === 1 ? one : many}`;

/** `3 days`, `5 hours`; rounded down. */
export function spanText(ms: number): string {
  const days = Math.floor(Math.abs(ms) / dayMs);
  if (days >= 1) return counted(days, "day");
  return counted(Math.floor(Math.abs(ms) / 3_600_000), "hour");
}

export const listText = (parts: readonly string[]): string =>
  parts.length < 2 ? parts.join("") : `${parts.slice(0, -1).join(", ")} and ${parts.at(-1)}`;
