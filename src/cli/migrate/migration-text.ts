/** What `spire-aws-kms migrate` prints: for people, and for programs. */

import type { ComparedKey, NamedKey } from "../../key-manager/migration/compare-names.ts";
import type { MigrationReport } from "../../key-manager/migration/migration.ts";
import type { Step } from "../../key-manager/migration/steps.ts";
import type { MigrationRequest } from "./migration-flags.ts";

/** One alias of a key and what there is to say of it. */
type Line = readonly [side: "old" | "new", aliasName: string, remark: string];

function linesOf(comparedKey: ComparedKey): readonly Line[] {
  const old = (remark: string): Line[] => ("from" in comparedKey ? [["old", comparedKey.from.aliasName, remark]] : []);
  const current = (remark: string): Line[] =>
    "to" in comparedKey && comparedKey.to !== undefined ? [["new", comparedKey.to.aliasName, remark]] : [];
  switch (comparedKey.kind) {
    case "old":
      return [...old("stands"), ["new", comparedKey.toAlias, "not there yet"]];
    case "both":
      return [...old("stands"), ...current("stands on the same key")];
    case "rotated-old":
      return [...old("stands; the key was rotated since"), ...current("stands on the replaced key")];
    case "rotated-new":
      return [...old("stands on the replaced key"), ...current("stands; the key was rotated since")];
    case "new":
      return [["old", "", "not there"], ...current("stands")];
    case "unusable":
      return [...old(`left alone: ${comparedKey.from.trouble}`), ...current("stands")];
  }
}

const keyInUse = (comparedKey: ComparedKey): NamedKey =>
  comparedKey.kind === "new" || comparedKey.kind === "rotated-new" ? comparedKey.to : comparedKey.from;

function comparedKeyText(comparedKey: ComparedKey): string {
  const { keyArn } = keyInUse(comparedKey);
  const lines = linesOf(comparedKey).map(
    ([side, aliasName, remark]) => `  ${side}  ${aliasName}${aliasName === "" ? "" : "  "}(${remark})`,
  );
  return [`${comparedKey.keyId}  ${keyArn}`, ...lines].join("\n");
}

const verbs: Readonly<Record<Step["kind"], readonly [todo: string, done: string]>> = {
  add: ["add", "added"],
  move: ["move", "moved"],
  refresh: ["refresh", "refreshed"],
  remove: ["remove", "removed"],
};

export const stepText = ({ kind, aliasName, keyArn }: Step, isDone: boolean): string =>
  `${verbs[kind][isDone ? 1 : 0]} ${aliasName}${kind === "remove" ? "" : ` on ${keyArn}`}`;

/** The plan, or how things stand after a phase. */
export function reportText(
  { comparedKeys, leftOut, steps, isVerified }: MigrationReport,
  request: MigrationRequest,
): string {
  const isPlan = request.phase === undefined;
  const parts = [
    ...comparedKeys.map(comparedKeyText),
    ...leftOut.map(({ aliasName, reason }) => `${aliasName}\n  left out: ${reason}`),
    ...(isPlan && steps.length > 0
      ? [["to be done:", ...steps.map((step) => `  ${stepText(step, false)}`)].join("\n")]
      : []),
    ...(isVerified ? [verifiedText(request)] : []),
  ];
  return parts.join("\n");
}

function verifiedText({ from, phase }: MigrationRequest): string {
  const names = phase === "back" ? "old" : "new";
  const plugin = phase === "back" ? from.plugin : "aws_kms";
  return `verified: ${plugin} finds every key under its ${names} name, with the same fingerprint`;
}

const timeOf = (date: Date | undefined): string | undefined => date?.toISOString();

const keyJson = (key: NamedKey | undefined) =>
  key && {
    alias: key.aliasName,
    key_arn: key.keyArn,
    key_state: key.keyState,
    fingerprint: key.fingerprint,
    refreshed: timeOf(key.refreshedAt),
    trouble: key.trouble,
  };

/** One object, stable: members are added, not changed. */
export function reportJson(report: MigrationReport, { client, from, to, phase }: MigrationRequest): object {
  return {
    region: client.region,
    from,
    to,
    phase: phase ?? "plan",
    verified: report.isVerified,
    refresh_before: timeOf(report.refreshBefore),
    keys: report.comparedKeys.map((comparedKey) => ({
      key_id: comparedKey.keyId,
      stands: comparedKey.kind,
      old: keyJson("from" in comparedKey ? comparedKey.from : undefined),
      new: comparedKey.kind === "old" ? { alias: comparedKey.toAlias } : keyJson(comparedKey.to),
    })),
    steps: report.steps.map(({ kind, keyId, aliasName, keyArn }) => ({
      step: kind,
      key_id: keyId,
      alias: aliasName,
      key_arn: keyArn,
    })),
    left_out: report.leftOut.map(({ aliasName, reason }) => ({ alias: aliasName, reason })),
    refusals: report.refusals,
    warnings: report.warnings,
  };
}
