/** The alert rules and the dashboard of `deploy/monitoring`, as far as tests look into them. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const folder = fileURLToPath(new URL("../../deploy/monitoring", import.meta.url));

export const rulesPath = join(folder, "alerts.yml");
export const rulesFile = readFileSync(rulesPath, "utf8");
export const alertNames: readonly string[] = [...rulesFile.matchAll(/^\s+- alert: (\w+)$/gm)].map(
  ([, name]) => name ?? "",
);

interface Panel {
  readonly targets?: readonly { readonly expr: string }[];
}

const dashboard = JSON.parse(readFileSync(join(folder, "dashboard.json"), "utf8")) as {
  readonly panels: readonly Panel[];
};
export const dashboardQueries: readonly string[] = dashboard.panels.flatMap(({ targets = [] }) =>
  targets.map(({ expr }) => expr),
);
