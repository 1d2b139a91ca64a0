/** A stretch of time as a scale from 0 to 100, with days as its marks. */

const dayMs = 86_400_000;

export interface TimeMark {
  readonly at: number;
  readonly label: string;
}

export interface TimeScale {
  readonly from: Date;
  readonly to: Date;
  readonly now: Date;
  /** Where a time is, from 0 to 100; what lies outside is at the end. */
  readonly at: (time: Date) => number;
  readonly marks: readonly TimeMark[];
}

const steps = [1, 2, 7, 14, 30, 61, 91, 182, 365] as const;

const months = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

const label = (time: Date, isLong: boolean): string => {
  const month = months[time.getUTCMonth()] ?? "";
  return isLong ? `${month} ${time.getUTCFullYear()}` : `${time.getUTCDate()} ${month}`;
};

/** @param maxMarks fewer, where days are not enough */
function marksOf(from: Date, to: Date, maxMarks: number): readonly Date[] {
  const days = (to.getTime() - from.getTime()) / dayMs;
  const step = (steps.find((one) => days / one <= maxMarks) ?? 730) * dayMs;
  // Counted from a Monday, so that weeks begin where they do on a calendar.
  const first = Math.ceil((from.getTime() - 4 * dayMs) / step) * step + 4 * dayMs;
  const marks: Date[] = [];
  for (let time = first; time <= to.getTime(); time += step) marks.push(new Date(time));
  return marks;
}

export function timeScale(from: Date, to: Date, now: Date): TimeScale {
  const length = Math.max(1, to.getTime() - from.getTime());
  const at = (time: Date) => {
    const part = ((time.getTime() - from.getTime()) / length) * 100;
    return Math.round(Math.min(100, Math.max(0, part)) * 100) / 100;
  };
  const isLong = length > 400 * dayMs;
  const marks = marksOf(from, to, 8)
    .map((time) => ({ at: at(time), label: label(time, isLong) }))
    // A label at the edge would not fit.
    .filter((mark) => mark.at >= 1 && mark.at <= 97);
  return { from, to, now, at, marks };
}

const minDays = 7;
const maxDays = 400;

/**
 * The stretch in which most of what is worth seeing lies: nine in ten keys were made in it, and all that is still to come
 * is there.
 */
export function windowOf(created: readonly Date[], coming: readonly Date[], now: Date): TimeScale {
  const ages = created.map((time) => (now.getTime() - time.getTime()) / dayMs).sort((one, other) => one - other);
  const typical = ages[Math.floor(ages.length * 0.9)] ?? minDays;
  const past = Math.min(maxDays, Math.max(minDays, typical * 1.1));
  const next = Math.max(0, ...coming.map((time) => (time.getTime() - now.getTime()) / dayMs));
  const future = Math.min(Math.max(past, 3), Math.max(3, next * 1.05), 45);
  return timeScale(new Date(now.getTime() - past * dayMs), new Date(now.getTime() + future * dayMs), now);
}
