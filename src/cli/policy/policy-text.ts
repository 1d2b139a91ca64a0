/** Statements as a policy document in JSON, and as Terraform's aws_iam_policy_document, in the form of terraform fmt. */
import type { Condition, Statement } from "./statement.ts";

const oneOrMany = (values: readonly string[]): string | readonly string[] =>
  values.length === 1 ? (values[0] ?? "") : values;

/** Conditions of one test stand side by side. */
function conditionsJson(conditions: readonly Condition[]): object {
  const tests: Record<string, Record<string, string | readonly string[]>> = {};
  for (const { test, variable, values } of conditions) tests[test] = { ...tests[test], [variable]: oneOrMany(values) };
  return tests;
}

export function policyDocument(statements: readonly Statement[]): object {
  return {
    Version: "2012-10-17",
    Statement: statements.map(({ sid, principal, actions, resources, conditions = [] }) => ({
      Sid: sid,
      Effect: "Allow",
      ...(principal === undefined ? {} : { Principal: { AWS: principal } }),
      Action: oneOrMany(actions),
      Resource: oneOrMany(resources),
      ...(conditions.length === 0 ? {} : { Condition: conditionsJson(conditions) }),
    })),
  };
}

/** A Terraform string: \`\${\` and \`%{\` would begin a template. */
const quoted = (text: string): string => JSON.stringify(text).replace(/\$\{/g, "$$${").replace(/%\{/g, "%%{");

function listText(values: readonly string[], indent: string): string {
  if (values.length === 1) return `[${quoted(values[0] ?? "")}]`;
  return `[\n${values.map((value) => `${indent}  ${quoted(value)},\n`).join("")}${indent}]`;
}

/** `name = value` lines; terraform fmt aligns the signs of one-line values that stand together. */
function assignments(pairs: readonly (readonly [string, string])[], indent: string): string {
  const groups: (readonly [string, string])[][] = [];
  for (const pair of pairs) {
    const last = groups.at(-1);
    if (last !== undefined && !pair[1].includes("\n") && !last.some(([, value]) => value.includes("\n")))
      last.push(pair);
    else groups.push([pair]);
  }
  return groups
    .flatMap((group) => {
      const width = Math.max(...group.map(([name]) => name.length));
      return group.map(([name, value]) => `${indent}${name.padEnd(width)} = ${value}\n`);
    })
    .join("");
}

function statementText({ sid, principal, actions, resources, conditions = [] }: Statement): string {
  const indent = "    ";
  const inner = `${indent}  `;
  const blocks = [
    ...(principal === undefined
      ? []
      : [
          `\n${indent}principals {\n${assignments(
            [
              ["type", quoted("AWS")],
              ["identifiers", listText([principal], inner)],
            ],
            inner,
          )}${indent}}\n`,
        ]),
    ...conditions.map(
      ({ test, variable, values }) =>
        `\n${indent}condition {\n${assignments(
          [
            ["test", quoted(test)],
            ["variable", quoted(variable)],
            ["values", listText(values, inner)],
          ],
          inner,
        )}${indent}}\n`,
    ),
  ];
  const head = assignments(
    [
      ["sid", quoted(sid)],
      ["effect", quoted("Allow")],
      ["actions", listText(actions, indent)],
      ["resources", listText(resources, indent)],
    ],
    indent,
  );
  return `  statement {\n${head}${blocks.join("")}  }\n`;
}

/** @param name of the data source */
export function terraformText(name: string, statements: readonly Statement[]): string {
  return `data "aws_iam_policy_document" ${quoted(name)} {\n${statements.map(statementText).join("\n")}}`;
}
