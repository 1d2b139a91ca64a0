/** The page's one style sheet. It names no file and no address; where marks stand comes from the scale of the time line. */
import type { TimeScale } from "../time-scale.ts";

const colours = `
:root{color-scheme:light dark;
--page:#f6f7f8;--panel:#fff;--ink:#18212b;--soft:#4c5866;--line:#d9dfe5;--faint:#eceff2;
--use:#1f7a68;--fresh:#a9d8cb;--stale:#d0262f;--orphaned:#c26a00;--duplicated:#7d4cc0;--unusable:#a31552;--pending:#6d7986;--ended:#b3bcc6;--unknown:#2f6fb5;
--good-bg:#e4f3ee;--bad-bg:#fdeaea;--warn-bg:#fdf1e0}
@media (prefers-color-scheme:dark){:root{
--page:#0f141a;--panel:#171e26;--ink:#e8edf2;--soft:#a9b5c2;--line:#2d3844;--faint:#222b35;
--use:#3fae95;--fresh:#235a4f;--stale:#ff5a5f;--orphaned:#f0a23c;--duplicated:#b594ee;--unusable:#f0679b;--pending:#8d9aa8;--ended:#4a5663;--unknown:#6fa8e6;
--good-bg:#14302a;--bad-bg:#3a1a1d;--warn-bg:#382813}}
@media print{:root{color-scheme:light;
--page:#fff;--panel:#fff;--ink:#000;--soft:#333;--line:#bbb;--faint:#eee;
--use:#1f7a68;--fresh:#a9d8cb;--stale:#d0262f;--orphaned:#c26a00;--duplicated:#7d4cc0;--unusable:#a31552;--pending:#6d7986;--ended:#b3bcc6;--unknown:#2f6fb5;
--good-bg:#fff;--bad-bg:#fff;--warn-bg:#fff}}`;

const frame = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;overflow-wrap:anywhere;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
header,main,footer{max-width:78rem;margin:0 auto;padding:0 1.25rem}
header{padding-top:2.25rem}
h1{font-size:clamp(1.5rem,1.1rem + 2vw,2.25rem);line-height:1.15;margin:0 0 .35rem;letter-spacing:-.015em;overflow-wrap:anywhere}
h2{font-size:1.2rem;margin:0 0 .2rem;letter-spacing:-.005em}
h3{font-size:.95rem;margin:0;overflow-wrap:anywhere}
p{margin:.25rem 0}
.soft,caption{color:var(--soft)}
.small{font-size:.85rem}
code,.mono{font-family:ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;font-size:.86em;overflow-wrap:anywhere}
section{background:var(--panel);border:1px solid var(--line);border-radius:.75rem;padding:1.25rem 1.25rem 1.35rem;margin:1.25rem 0}
.verdict{display:flex;gap:.8rem;align-items:flex-start;border-left:.4rem solid var(--use);background:var(--good-bg);border-radius:.5rem;padding:.8rem 1rem;margin:1.1rem 0 0;font-size:1.08rem}
.verdict.bad{border-color:var(--stale);background:var(--bad-bg)}
.verdict.warning{border-color:var(--orphaned);background:var(--warn-bg)}
.verdict strong{display:block}
.tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.2rem,1fr));gap:.75rem;margin:1.25rem 0 0}
.tiles div{background:var(--panel);border:1px solid var(--line);border-radius:.75rem;padding:.7rem .9rem;display:flex;flex-direction:column-reverse;justify-content:flex-end}
.tiles dt{color:var(--soft);font-size:.84rem}
.tiles dd{margin:0;font-size:1.7rem;line-height:1.2;font-weight:650;font-variant-numeric:tabular-nums;letter-spacing:-.02em}
.tiles .alarm dd{color:var(--stale)}
.tiles .care dd{color:var(--orphaned)}
@media (prefers-color-scheme:light){.tiles .care dd{color:#a05700}}
footer{padding-bottom:2.5rem;color:var(--soft);font-size:.85rem}`;

const lists = `
.findings{list-style:none;margin:.8rem 0 0;padding:0;display:grid;gap:.6rem}
.findings li{border-left:.28rem solid var(--line);padding:.1rem 0 .1rem .85rem}
.findings .bad{border-color:var(--stale)}.findings .warning{border-color:var(--orphaned)}.findings .unknown{border-color:var(--unknown)}.findings .fine{border-color:var(--use)}
.findings p{margin:0}
.tag{display:inline-block;border:1px solid var(--line);border-radius:1rem;padding:0 .55rem;font-size:.78rem;line-height:1.5;white-space:nowrap;background:var(--panel)}
.tag::before{content:"";display:inline-block;width:.6em;height:.6em;border-radius:50%;margin-right:.4em;background:var(--pending)}
.tag.in-use::before{background:var(--use)}.tag.stale::before{background:var(--stale)}.tag.orphaned::before{background:var(--orphaned)}
.tag.duplicated::before{background:var(--duplicated)}.tag.unusable::before{background:var(--unusable)}.tag.unknown::before{background:var(--unknown)}.tag.ended::before{background:var(--ended)}
.scroll{overflow-x:auto;margin-top:.8rem;border:1px solid var(--line);border-radius:.5rem}
.scroll:focus-visible,summary:focus-visible{outline:3px solid var(--unknown);outline-offset:2px}
table{overflow-wrap:break-word;border-collapse:collapse;width:100%;font-size:.86rem}
caption{text-align:left;padding:.5rem .7rem;font-size:.84rem}
th,td{text-align:left;vertical-align:top;padding:.42rem .7rem;border-top:1px solid var(--faint)}
thead th{border-top:0;color:var(--soft);font-weight:600;white-space:nowrap}
td.n,th.n{text-align:right;font-variant-numeric:tabular-nums}
td.when{min-width:6.4rem;font-variant-numeric:tabular-nums}
tbody th{font-weight:600;min-width:7.5rem}
tbody th .mono{font-weight:400}
td .mono{display:inline-block;min-width:9.5rem}
td.why{min-width:14rem;width:34%}
details>summary{cursor:pointer;padding:.35rem 0;font-weight:600}
details.more{margin-top:.8rem;border-top:1px solid var(--line);padding-top:.5rem}`;

const line = `
.legend{display:flex;flex-wrap:wrap;gap:.2rem 1.1rem;list-style:none;margin:.7rem 0 .2rem;padding:0;font-size:.84rem;color:var(--soft)}
.legend svg{width:26px;height:14px;vertical-align:-2px;margin-right:.35rem;overflow:visible}
.axis,.lanes>div,.many .server{display:grid;grid-template-columns:minmax(7rem,11rem) minmax(0,1fr);gap:0 1rem;align-items:center}
.axis{position:sticky;top:0;background:var(--panel);z-index:1;padding:.4rem 0 .1rem;border-bottom:1px solid var(--line)}
.axis svg{height:20px}
.axis text{fill:var(--soft);font-size:11.5px}
.axis .today{fill:var(--ink);font-weight:700}
svg.lane,.axis svg{display:block;width:100%;overflow:visible}
.servers{list-style:none;margin:0;padding:0}
.server{padding:.6rem 0 .7rem;border-bottom:1px solid var(--faint)}
.server.trouble h3::before{content:"";display:inline-block;width:.65em;height:.65em;background:var(--stale);border-radius:2px;margin-right:.4em}
.who{display:flex;flex-wrap:wrap;gap:.1rem .7rem;align-items:center}
.who .tags{display:flex;flex-wrap:wrap;gap:.25rem}
.lanes{min-width:0;padding-top:.2rem}
.lanes .mono{font-size:.76rem;color:var(--soft);overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.many .axis,.many .server{grid-template-columns:minmax(9rem,15rem) minmax(0,1fr)}
.many .server{padding:.24rem 0;content-visibility:auto;contain-intrinsic-size:auto 3.5rem}
.many .lanes{padding:0}
.many .who{gap:.1rem .4rem}
.many h3{font-size:.8rem;font-weight:600}
.use{fill:var(--use)}.fresh{fill:var(--fresh)}.was{fill:var(--ended)}.stale{fill:var(--stale)}.orphaned{fill:var(--orphaned)}.duplicated{fill:var(--duplicated)}
.unusable{fill:var(--unusable)}.unknown{fill:var(--unknown)}.ended{fill:var(--ended)}
.pending{fill:url(#waiting);stroke:var(--pending);stroke-width:1}
.hatch{stroke:var(--pending)}
.dot{fill:var(--panel);stroke:var(--ink);stroke-width:1.5}
.turn{fill:var(--ink);stroke:var(--panel);stroke-width:1}
.touch{stroke:var(--panel);stroke-width:2}
.end{stroke:var(--ink);stroke-width:1.6;fill:none}
.defs{position:absolute;width:0;height:0}`;

const charts = `
.charts{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,24rem),1fr));gap:1.25rem}
.charts section{margin:0}
.plot{display:grid;grid-template-columns:auto minmax(0,1fr);grid-template-rows:11rem auto;gap:.2rem .5rem;margin-top:.7rem}
.plot .y{display:flex;flex-direction:column;justify-content:space-between;text-align:right;font-size:.75rem;color:var(--soft);font-variant-numeric:tabular-nums}
.plot svg[role]{width:100%;height:100%;overflow:visible;border-bottom:1px solid var(--line);background:linear-gradient(var(--faint),var(--faint)) 0 0/100% 1px no-repeat,linear-gradient(var(--faint),var(--faint)) 0 50%/100% 1px no-repeat}
.plot .x{grid-column:2;width:100%;height:16px;overflow:visible}
.plot .x text{fill:var(--soft);font-size:12px}
.plot polyline{fill:none;stroke:var(--use);stroke-width:2.2;vector-effect:non-scaling-stroke}
.plot polyline.coming{stroke-dasharray:4 4}
.plot polygon{fill:var(--fresh);opacity:.55}
.plot .cost polygon,.plot polygon.cost{fill:var(--warn-bg)}
.plot polyline.cost{stroke:var(--orphaned)}
.plot polyline.grey{stroke:var(--pending);stroke-width:1.6}
.plot .now{stroke:var(--soft);stroke-width:1;vector-effect:non-scaling-stroke;stroke-dasharray:2 3}`;

const narrow = `
@media (max-width:44rem){
body{font-size:15px}
header,main,footer{padding-left:.8rem;padding-right:.8rem}
header{padding-top:1.25rem}
section{padding:.9rem .85rem 1rem;border-radius:.6rem}
.tiles{grid-template-columns:repeat(2,minmax(0,1fr));gap:.5rem}
.tiles dd{font-size:1.4rem}
.axis,.lanes>div,.many .axis,.many .server{grid-template-columns:minmax(0,1fr);gap:.1rem}
.many .server{contain-intrinsic-size:auto 3.6rem}
.axis .few,.near{display:none}
}
@media print{
@page{margin:13mm}
body{font-size:10pt;-webkit-print-color-adjust:exact;print-color-adjust:exact}
header,main,footer{max-width:none;padding-left:0;padding-right:0}
section{border-color:#bbb;padding:.7rem .8rem;margin:.7rem 0}
.axis{position:static}
.server,.findings li,tr,.tiles div,.charts section{break-inside:avoid}
h2{break-after:avoid}
.scroll{overflow:visible;border:0}
table,table .small{font-size:8pt}
table{table-layout:fixed;overflow-wrap:anywhere}
th,td{padding:.25rem .4rem}
td.why{min-width:0}
td.when,tbody th,td .mono{min-width:0}
thead th{white-space:normal}
.screen,.near{display:none}
.many .server{content-visibility:visible}
}`;

/** A thin upright at each mark, behind every lane, and one for now. */
function uprights({ marks, at, now }: TimeScale): string {
  const one = (colour: string, where: number) =>
    `linear-gradient(var(--${colour}),var(--${colour})) ${where}% 0/1px 100% no-repeat`;
  const all = [one("soft", at(now)), ...marks.map((mark) => one("faint", mark.at))];
  return `\nsvg.lane{background:${all.join(",")}}`;
}

export const styleOf = (scale: TimeScale): string =>
  `${colours}${frame}${lists}${line}${charts}${uprights(scale)}${narrow}`.trim();
