/** Servers as rows, keys as bars: made, rotated, refreshed, stale, waiting for deletion, ended. */
import type { KeyLife, Lane, Lives, ServerLives } from "../key-lives.ts";
import { troubling } from "../key-lives.ts";
import type { TimeScale } from "../time-scale.ts";
import { counted, dayText, listText, numberText, spanText, timeText } from "../words.ts";
import { html, type Markup, type Part } from "./markup.ts";

/** More lanes than this stand close together, without names of their own. */
const roomyLanes = 90;
/** So many servers have a row each; those with trouble come first. */
const maxServers = 600;
/** Servers without trouble that are shown without being asked for. */
const maxOpenServers = 40;
/** Keys without a server: so many have a row each. */
const maxNameless = 60;
const maxLanes = 12;

/** Marks in all: what has no trouble is left out beyond that. */
const maxLives = 9_000;
/** Of one id, the latest. */
const maxLivesOfLane = 40;

/** How tall things are drawn. */
interface Size {
  readonly bar: number;
  readonly step: number;
  /** Behind the names of the signs. */
  readonly suffix: string;
}

const roomySize: Size = { bar: 9, step: 11, suffix: "" };
const closeSize: Size = { bar: 4, step: 6, suffix: "-small" };

export const symbols: Markup = html`<svg class="defs" aria-hidden="true" focusable="false"><defs>
<pattern id="waiting" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><path class="hatch" d="M0 0V5" stroke-width="3"/></pattern>
<g id="made"><circle class="dot" cx="0" cy="4.5" r="3"/></g>
<g id="turned"><path class="turn" d="M0 -1.5L4.5 4.5L0 10.5L-4.5 4.5Z"/></g>
<g id="ended"><path class="end" d="M-3 1.5L3 7.5M3 1.5L-3 7.5"/></g>
<g id="made-small"><circle class="dot" cx="0" cy="2" r="2"/></g>
<g id="turned-small"><path class="turn" d="M0 -1.2L3.2 2L0 5.2L-3.2 2Z"/></g>
<g id="ended-small"><path class="end" d="M-2 0L2 4M2 0L-2 4"/></g>
</defs></svg>`;

const bar = (name: string, scale: TimeScale, from: Date, to: Date, y: number, height: number): Part => {
  const x = scale.at(from);
  const width = Math.round((scale.at(to) - x) * 100) / 100;
  return width <= 0 && name !== "pending"
    ? undefined
    : html`<rect class="${name}" x="${x}%" y="${y}" width="${Math.max(width, 0.1)}%" height="${height}" rx="1.5"/>`;
};

const sign = (name: string, scale: TimeScale, time: Date | undefined, y: number): Part =>
  time === undefined || time < scale.from || time > scale.to
    ? undefined
    : html`<use href="#${name}" x="${scale.at(time)}%" y="${y}"/>`;

/** What a key's bar says in words. */
export function lifeText(spireKeyId: string, life: KeyLife): string {
  const { createdAt, refreshedAt, staleAt, endsAt, pendingFrom } = life;
  const about = life.isPendingReckoned ? "about " : "";
  return [
    `${spireKeyId === "" ? "key" : spireKeyId} ${life.keyId.slice(0, 8)}: ${life.class}`,
    createdAt && `made ${timeText(createdAt)}${life.isRotation ? " by a rotation" : ""}`,
    refreshedAt && `refreshed ${timeText(refreshedAt)}`,
    staleAt && life.class !== "ended" && `stale ${life.class === "stale" ? "since" : "from"} ${timeText(staleAt)}`,
    pendingFrom && `scheduled for deletion ${about}${dayText(pendingFrom)}`,
    endsAt && `${life.class === "ended" ? "not found since" : "deleted"} ${dayText(endsAt)}`,
  ]
    .filter(Boolean)
    .join("; ");
}

function body(life: KeyLife, scale: TimeScale, y: number, size: Size): Part[] {
  const { now, from } = scale;
  const start = life.createdAt ?? from;
  const { endsAt, pendingFrom, staleAt } = life;
  const draw = (name: string, begin: Date, end: Date) => bar(name, scale, begin, end, y, size.bar);
  const thin = (name: string, begin: Date, end: Date, part: number) =>
    bar(name, scale, begin, end, y + (size.bar * (1 - part)) / 2, size.bar * part);
  if (endsAt !== undefined) {
    const scheduled = pendingFrom ?? (life.class === "ended" ? endsAt : now);
    return [
      draw(life.class === "unusable" ? "unusable" : "was", start, scheduled),
      thin("pending", scheduled, endsAt, 0.66),
    ];
  }
  if (life.class === "in use") {
    return [draw("use", start, now), staleAt !== undefined && thin("fresh", now, staleAt, 0.45)];
  }
  if (life.class === "stale" && staleAt !== undefined) {
    const since = new Date(Math.max(staleAt.getTime(), start.getTime()));
    return [draw("was", start, since), draw("stale", since, now)];
  }
  return [draw(life.class.replaceAll(" ", "-"), start, now)];
}

function lifeMark(spireKeyId: string, life: KeyLife, scale: TimeScale, y: number, size: Size): Markup {
  const touched =
    life.refreshedAt !== undefined && life.refreshedAt >= scale.from ? scale.at(life.refreshedAt) : undefined;
  return html`<g>${body(life, scale, y, size)}${
    touched !== undefined &&
    html`<line class="touch" x1="${touched}%" x2="${touched}%" y1="${y}" y2="${y + size.bar}"/>`
  }${sign(`${life.isRotation ? "turned" : "made"}${size.suffix}`, scale, life.createdAt, y)}${sign(`ended${size.suffix}`, scale, life.endsAt, y)}<title>${lifeText(spireKeyId, life)}</title></g>`;
}

const picture = (label: string, height: number, marks: readonly Part[]): Markup =>
  html`<svg class="lane" role="img" aria-label="${label}" height="${height}">${marks}</svg>`;

const laneText = ({ spireKeyId, lives }: Lane): string =>
  lives.length > 3
    ? `${spireKeyId}: ${counted(lives.length, "key")}`
    : lives.map((life) => lifeText(spireKeyId, life)).join(". ");

function roomy({ lanes }: ServerLives, scale: TimeScale): Part {
  return lanes.slice(0, maxLanes).map(
    (lane) =>
      html`<div><span class="mono">${lane.spireKeyId}</span>${picture(
        laneText(lane),
        20,
        lane.lives.slice(-maxLivesOfLane).map((life) => lifeMark(lane.spireKeyId, life, scale, 5.5, roomySize)),
      )}</div>`,
  );
}

function close({ lanes, serverId }: ServerLives, scale: TimeScale): Part {
  const shown = lanes.slice(0, maxLanes);
  const { step } = closeSize;
  const label = `Server ${serverId}: ${shown.map(({ spireKeyId, lives }) => `${spireKeyId} ${lives.at(-1)?.class}`).join(", ")}`;
  const marks = shown.map((lane, index) =>
    lane.lives
      .slice(-maxLivesOfLane)
      .map((life) => lifeMark(lane.spireKeyId, life, scale, 3 + index * step, closeSize)),
  );
  return picture(label, shown.length * step + 4, marks);
}

const classOrder = [
  "stale",
  "unusable",
  "duplicated",
  "orphaned",
  "unknown",
  "in use",
  "pending deletion",
  "ended",
] as const;

const tags = ({ counts }: ServerLives): Part =>
  classOrder
    .filter((name) => counts.has(name))
    .map(
      (name) =>
        html`<span class="tag ${name.replaceAll(" ", "-")}">${numberText(counts.get(name) ?? 0)} ${name}</span>`,
    );

function serverRow(server: ServerLives, scale: TimeScale, isRoomy: boolean, hasRegions: boolean): Markup {
  const soon = server.staleAt === undefined ? undefined : server.staleAt.getTime() - scale.now.getTime();
  const note = [hasRegions && server.region, server.isOwnServer && "the configuration's server"].filter(Boolean);
  return html`<li class="server${server.hasTrouble ? " trouble" : ""}"><div class="who"><h3>${server.serverId}</h3>${
    note.length > 0 && html`<p class="small soft">${note.join(", ")}</p>`
  }${
    isRoomy && soon !== undefined && html`<p class="small soft">stale in ${spanText(soon)} if not refreshed</p>`
  }<div class="tags">${tags(server)}</div></div><div class="lanes">${
    isRoomy ? roomy(server, scale) : close(server, scale)
  }${server.lanes.length > maxLanes && html`<p class="small soft">and ${counted(server.lanes.length - maxLanes, "id")} more</p>`}</div></li>`;
}

function axis(scale: TimeScale): Markup {
  const now = scale.at(scale.now);
  const marks = scale.marks
    .filter(({ at }) => Math.abs(at - now) > 5)
    .map(({ at, label }, index) => {
      const name = Math.abs(at - now) < 16 ? "near" : index % 2 === 1 ? "few" : "";
      return html`<text class="${name}" x="${at}%" y="14" text-anchor="middle">${label}</text>`;
    });
  return html`<div class="axis" aria-hidden="true"><span></span><svg>${marks}<text class="today" x="${now}%" y="14" text-anchor="middle">now</text></svg></div>`;
}

const sample = (marks: Part, text: string): Markup =>
  html`<li><svg aria-hidden="true" focusable="false">${marks}</svg>${text}</li>`;
const box = (name: string): Markup => html`<rect class="${name}" x="1" y="2" width="24" height="9" rx="1.5"/>`;

const legend: Markup = html`<ul class="legend">${[
  sample(box("use"), "in use"),
  sample(box("fresh"), "fresh until"),
  sample(box("stale"), "stale"),
  sample(box("orphaned"), "orphaned"),
  sample(box("duplicated"), "duplicated"),
  sample(box("unusable"), "unusable"),
  sample(html`<rect class="pending" x="1" y="3.5" width="24" height="6" rx="1.5"/>`, "waiting for deletion"),
  sample(html`<use href="#made" x="13" y="2"/>`, "made"),
  sample(html`<use href="#turned" x="13" y="2"/>`, "made by a rotation"),
  sample(html`${box("use")}<line class="touch" x1="13" x2="13" y1="2" y2="11"/>`, "refreshed"),
  sample(html`<use href="#ended" x="13" y="2"/>`, "deleted"),
]}</ul>`;

function nameless(lives: readonly KeyLife[], scale: TimeScale, isRoomy: boolean): Part {
  if (lives.length === 0) return undefined;
  const shown = lives.slice(0, maxNameless);
  const size = isRoomy ? roomySize : closeSize;
  const pending = lives.filter(({ class: name }) => name === "pending deletion").length;
  const others = lives.length - pending;
  const left = lives.length - shown.length;
  const text = listText([
    ...(others > 0 ? [counted(others, "orphan")] : []),
    ...(pending > 0 ? [`${numberText(pending)} waiting for deletion`] : []),
  ]);
  const marks = shown.map((life, index) => lifeMark("", life, scale, 3 + index * size.step, size));
  const strip = picture(`Keys without a server: ${text}`, shown.length * size.step + 4, marks);
  const hasTrouble = shown.some(({ class: name }) => troubling.has(name));
  return html`<li class="server${hasTrouble ? " trouble" : ""}"><div class="who"><h3>Keys without a server</h3><p class="small soft">${text}. Once its alias is on another key, KMS does not tell whose a key was.</p></div><div class="lanes">${
    isRoomy ? html`<div><span></span>${strip}</div>` : strip
  }${left > 0 && html`<p class="small soft">and ${numberText(left)} more, waiting for deletion like these</p>`}</div></li>`;
}

export function timelineSection({ servers, nameless: strays }: Lives, scale: TimeScale, hasRegions: boolean): Markup {
  const lanes = servers.reduce((sum, server) => sum + server.lanes.length, 0);
  const isRoomy = lanes <= roomyLanes;
  let lives = 0;
  const shown = servers.slice(0, maxServers).filter((server) => {
    for (const lane of server.lanes.slice(0, maxLanes)) lives += Math.min(lane.lives.length, maxLivesOfLane);
    return lives <= maxLives;
  });
  const left = servers.length - shown.length;
  const troubled = shown.filter(({ hasTrouble }) => hasTrouble);
  const well = shown.filter(({ hasTrouble }) => !hasTrouble);
  const rows = (some: readonly ServerLives[]) => some.map((server) => serverRow(server, scale, isRoomy, hasRegions));
  const wellRows = html`<ul class="servers">${rows(well)}</ul>`;
  return html`<section aria-labelledby="line"><h2 id="line">Every key on a time line</h2>
<p class="soft small">${dayText(scale.from)} to ${dayText(scale.to)}, UTC. What needs a look comes first. Point at a bar for its dates.</p>${legend}
<div${!isRoomy && html` class="many"`}>${axis(scale)}<ul class="servers">${rows(troubled)}${nameless(strays, scale, isRoomy)}</ul>${
    isRoomy
      ? wellRows
      : well.length > 0 &&
        html`<details class="more"${well.length <= maxOpenServers && html` open`}><summary>${counted(well.length, "server")} whose keys are all in use</summary>${wellRows}</details>`
  }${
    left > 0 &&
    html`<p class="soft">${counted(left, "more server")} without trouble have no row here; <code>spire-aws-kms keys</code> lists all.</p>`
  }</div></section>`;
}
