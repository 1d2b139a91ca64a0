// Says which Node.js this checkout needs, on one that is older: imported first by the scripts that people start, since
// what fails otherwise (an option that node does not know, a file that it does not take for a module) names no reason.
import { readFileSync } from "node:fs";
import { floorInWords, floorsOf, isNewEnough } from "./executable-head.mjs";

const { engines } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
const floors = floorsOf(engines.node);
if (!isNewEnough(process.versions.node, floors)) {
  console.error(`This needs ${floorInWords(floors)}; this is ${process.versions.node} (${process.execPath}).`);
  console.error("hint: .nvmrc has the oldest version, for nvm and the like: `nvm install && nvm use`.");
  process.exit(1);
}
