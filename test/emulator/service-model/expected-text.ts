/** The text with which AWS refuses an input that breaks constraints of its service model. */
import type { ConstraintProbe } from "./probes.ts";

/** Where AWS documents more than its model says; the page's own words stand beside the member. */
const documentedMax: Readonly<Record<string, number>> = {
  ListAliases: 100,
  ListGrants: 100,
  ListResourceTags: 50,
  ListRetirableGrants: 100,
};

/** The values of an enumeration in order of name: AWS's own order is not the model's. */
export const withSortedValues = (message: string): string =>
  message.replace(/enum value set: \[([^\]]*)\]/g, (_, values: string) => values.split(", ").sort().join(", "));

export function expectedText({ operation, title, violations }: ConstraintProbe): string {
  const max = documentedMax[operation];
  const told =
    title.startsWith("limit: max") && max !== undefined
      ? violations.map((text) => text.replace("1000", String(max)))
      : violations;
  const noun = told.length === 1 ? "error" : "errors";
  return withSortedValues(`${told.length} validation ${noun} detected: ${told.join("; ")}`);
}
