/**
 * Draws what a run has measured: `npm run bench:plot -- FILE`, the file being one that `npm run bench -- --json FILE` wrote.
 *
 * Writes docs/performance.svg and the table in docs/performance.md, so that no figure is copied by hand.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { performancePlot } from "./table/performance-plot.ts";
import { type BenchReport, markdownOf } from "./table/report.ts";

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error("which file? npm run bench:plot -- FILE");
const docs = (name: string): string => fileURLToPath(new URL(`../docs/${name}`, import.meta.url));

const report = JSON.parse(readFileSync(file, "utf8")) as BenchReport;
writeFileSync(docs("performance.svg"), performancePlot(report));

const { date, revision, node, go, cpu, cores, memoryMb, loadBefore, loadAfter, form } = report.environment;
const machine = `Revision ${revision}, ${date}, ${form} form: Node ${node}, ${go}, ${cpu} × ${cores}, ${memoryMb} MB; load ${loadBefore} before, ${loadAfter} after.`;
const page = readFileSync(docs("performance.md"), "utf8");
const marks = /(<!-- table -->\n)[\s\S]*(<!-- end of table -->)/;
if (!marks.test(page)) throw new Error("docs/performance.md has no marks for the table");
writeFileSync(docs("performance.md"), page.replace(marks, `$1\n${machine}\n\n${markdownOf(report.rows)}\n\n$2`));
