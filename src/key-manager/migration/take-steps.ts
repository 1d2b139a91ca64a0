/**
 * Takes the steps of a migration, one alias at a time.
 *
 * Before an alias is moved or removed KMS is asked where it stands at this moment: a plan is made of facts that a running
 * server may have changed. Keys are out of reach: the client has no call that makes, disables or schedules one.
 */
import { KeyManagerError, keyManagerError } from "../errors.ts";
import { findKey } from "../keys/find-key.ts";
import { isKmsError, type KmsClient } from "../ports.ts";
import type { Step } from "./steps.ts";

export type AliasClient = Pick<KmsClient, "describeKey" | "createAlias" | "updateAlias" | "deleteAlias">;

const changed = (aliasName: string, keyArn: string | undefined) =>
  new KeyManagerError(
    "FAILED_PRECONDITION",
    keyArn === undefined
      ? `alias ${aliasName} was deleted in the meantime; look at the plan again`
      : `alias ${aliasName} stands on another key by now (${keyArn}); look at the plan again`,
  );

const targetOf = async (kms: AliasClient, aliasName: string): Promise<string | undefined> =>
  (await findKey(kms, aliasName))?.arn;

async function requireTarget(kms: AliasClient, aliasName: string, keyArn: string): Promise<void> {
  const target = await targetOf(kms, aliasName);
  if (target !== keyArn) throw changed(aliasName, target);
}

async function take(step: Step, kms: AliasClient): Promise<void> {
  const { aliasName, keyArn } = step;
  switch (step.kind) {
    case "add":
      try {
        await kms.createAlias(aliasName, keyArn);
      } catch (error) {
        // Ours, by an attempt whose answer was lost; or another program's.
        if (!isKmsError(error, "ALREADY_EXISTS")) throw error;
        await requireTarget(kms, aliasName, keyArn);
      }
      return;
    case "move":
    case "refresh":
      await requireTarget(kms, aliasName, step.kind === "move" ? step.movedFrom : keyArn);
      await kms.updateAlias(aliasName, keyArn);
      return;
    case "remove": {
      await requireTarget(kms, step.kept.aliasName, step.kept.keyArn);
      const target = await targetOf(kms, aliasName);
      if (target === undefined) return;
      if (target !== keyArn) throw changed(aliasName, target);
      try {
        await kms.deleteAlias(aliasName);
      } catch (error) {
        if (!isKmsError(error, "NOT_FOUND")) throw error;
      }
    }
  }
}

/**
 * @param onTaken told of each step once it is done
 * @throws KeyManagerError at the first step that fails; what was done stays, and the next run goes on from there
 */
export async function takeSteps(
  steps: readonly Step[],
  kms: AliasClient,
  onTaken: (step: Step) => void = () => undefined,
): Promise<void> {
  for (const step of steps) {
    try {
      await take(step, kms);
    } catch (error) {
      throw keyManagerError(`failed to ${step.kind} alias ${step.aliasName}`, error);
    }
    onTaken(step);
  }
}
