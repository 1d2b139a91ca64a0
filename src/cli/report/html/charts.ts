/** Numbers of keys and their price as lines over time, with the numbers beside them as a table. */
import type { Course, CoursePoint } from "../course.ts";
import { timeScale } from "../time-scale.ts";
import { dayText, numberText, timeText, usd } from "../words.ts";
import { html, type Markup, type Part } from "./markup.ts";

type Value = (point: CoursePoint) => number;

interface Plot {
  readonly id: string;
  readonly title: string;
  readonly unit: (value: number) => string;
  readonly value: Value;
  readonly colour: string;
  /** A second, quieter line. */
  readonly beside?: { readonly value: Value; readonly text: string };
}

const plots: readonly Plot[] = [
  {
    id: "counts",
    title: "Keys over time",
    unit: numberText,
    value: ({ keys }) => keys,
    colour: "",
    beside: { value: ({ pending }) => pending, text: "grey: waiting for deletion" },
  },
  { id: "cost", title: "Cost a month over time", unit: usd, value: ({ costUsd }) => costUsd, colour: " cost" },
];

/** The next round number above. */
function ceilingOf(most: number): number {
  const size = 10 ** Math.floor(Math.log10(Math.max(1, most)));
  return [1, 2, 4, 6, 8, 10].map((step) => step * size).find((step) => step >= most) ?? most;
}

/** A key is there or not: nothing lies between two numbers. */
const stairs = (some: readonly CoursePoint[], place: (point: CoursePoint) => string): string[] =>
  some.flatMap((point, index) => {
    const before = some[index - 1];
    return before === undefined ? [place(point)] : [place({ ...before, time: point.time }), place(point)];
  });

function chart(plot: Plot, { past, coming }: Course): Markup {
  const all = [...past, ...coming];
  const [first] = all;
  const last = all.at(-1);
  const now = past.at(-1);
  if (first === undefined || last === undefined || now === undefined) return html`<p>There is nothing to show yet.</p>`;
  const scale = timeScale(first.time, last.time, now.time);
  const values = all.flatMap((point) => [plot.value(point), plot.beside?.value(point) ?? 0]);
  const top = ceilingOf(Math.max(2, ...values));
  const place = (value: Value) => (point: CoursePoint) =>
    `${scale.at(point.time)},${Math.round((100 - (value(point) / top) * 100) * 100) / 100}`;
  const line = (some: readonly CoursePoint[], name: string, value = plot.value): Part =>
    some.length > 1 && html`<polyline class="${name.trim()}" points="${stairs(some, place(value)).join(" ")}"/>`;
  const area = [`${scale.at(first.time)},100`, ...stairs(past, place(plot.value)), `${scale.at(now.time)},100`].join(
    " ",
  );
  const label = `${plot.title}: ${plot.unit(plot.value(first))} on ${dayText(first.time)}, ${plot.unit(plot.value(now))} now`;
  const at = scale.at(now.time);
  return html`<div class="plot"><div class="y" aria-hidden="true"><span>${plot.unit(top)}</span><span>${plot.unit(top / 2)}</span><span>0</span></div>
<svg role="img" aria-label="${label}" viewBox="0 0 100 100" preserveAspectRatio="none"><polygon class="${plot.colour.trim()}" points="${area}"/>${
    coming.length > 0 && html`<line class="now" x1="${at}" x2="${at}" y1="0" y2="100"/>`
  }${plot.beside && [line(past, "grey", plot.beside.value), line(coming, "grey coming", plot.beside.value)]}${line(past, plot.colour)}${line(coming, `${plot.colour} coming`)}</svg>
<svg class="x" aria-hidden="true"><text x="0" y="12">${dayText(first.time)}</text>${
    coming.length > 0 &&
    at > 25 &&
    at < 75 &&
    html`<text class="near" x="${at}%" y="12" text-anchor="middle">now</text>`
  }<text x="100%" y="12" text-anchor="end">${dayText(last.time)}</text></svg></div>`;
}

/** Ten rows at most, from the first to the last. */
function numbersTable(title: string, { past, coming }: Course): Markup {
  const all = [...past, ...coming];
  const step = Math.max(1, Math.ceil((all.length - 1) / 9));
  const shown = all.filter((_, index) => index % step === 0 || index === all.length - 1);
  return html`<details class="more screen"><summary>The same in numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="${title}, in numbers"><table><thead><tr><th scope="col">time (UTC)</th><th scope="col" class="n">keys</th><th scope="col" class="n">waiting for deletion</th><th scope="col" class="n">cost a month</th></tr></thead><tbody>${shown.map(
    ({ time, keys, pending, costUsd }) =>
      html`<tr><td class="when">${timeText(time)}</td><td class="n">${numberText(keys)}</td><td class="n">${numberText(pending)}</td><td class="n">${usd(costUsd)}</td></tr>`,
  )}</tbody></table></div></details>`;
}

export function chartsSection(course: Course): Markup {
  const source =
    course.source === "runs"
      ? "As earlier runs saw it."
      : "Reckoned from the keys that are still there: what KMS has deleted is not in it. With --history FILE each run adds what it saw.";
  return html`<div class="charts">${plots.map(
    (plot) =>
      html`<section aria-labelledby="${plot.id}"><h2 id="${plot.id}">${plot.title}</h2><p class="soft small">${source}${
        course.coming.length > 0 && " Dashed: if nothing more is made or scheduled for deletion."
      }${plot.beside && ` ${plot.beside.text[0]?.toUpperCase()}${plot.beside.text.slice(1)}.`}</p>${chart(plot, course)}${numbersTable(plot.title, course)}</section>`,
  )}</div>`;
}
