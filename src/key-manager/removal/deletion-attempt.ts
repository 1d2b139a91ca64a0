/**
 * One attempt to schedule a key for deletion: looked at, marked, scheduled, followed up. The only place that calls
 * ScheduleKeyDeletion.
 *
 * The look comes first at each attempt, for by then what was true of the key may have changed. Without it nothing is
 * scheduled: where KMS denies or throttles it, the deletion waits.
 */
import type { DeletionOutcome, DeletionRequest, TakeMarkBack } from "../deletions.ts";
import { explain, isPendingRefusal, messageOf } from "../errors.ts";
import { isKmsError, type KeyMetadata, type KmsError, type KmsErrorCode } from "../ports.ts";
import { deleteStaleAlias, keepAliasOff } from "./alias-guard.ts";
import { fieldsOf, type KeyDeletionContext } from "./deletion-context.ts";
import { type MembersToGo, noMembers, type SetMember } from "./key-set.ts";
import { lookAtKey } from "./look-at-key.ts";
import { removalOfReplicas, whySetStays } from "./ownership.ts";

/** How far a key has come: `scheduled` = what follows the deletion is still to be done. */
export type Progress = "waiting" | "scheduled" | { readonly outcome: DeletionOutcome };

const settled = (outcome: DeletionOutcome): Progress => ({ outcome });

/** Whether it is ScheduleKeyDeletion itself that failed like this, and not a step before it. */
const refused = (error: unknown, code: KmsErrorCode): error is KmsError =>
  isKmsError(error, code) && error.operation === "ScheduleKeyDeletion";

const isUnknown = (error: unknown): boolean => !isKmsError(error) || error.outcomeUnknown;

export class DeletionAttempt {
  readonly #request: DeletionRequest;
  readonly #context: KeyDeletionContext;
  #mayHaveTouched = false;
  /** Of a multi-Region key, those seen at the last look. */
  #members: MembersToGo = noMembers;

  constructor(request: DeletionRequest, context: KeyDeletionContext) {
    this.#request = request;
    this.#context = context;
  }

  /** Whether the key may be scheduled for deletion by now, although no answer says so. */
  get mayHaveTouched(): boolean {
    return this.#mayHaveTouched;
  }

  /** One try at what is left to do. @returns how far that got */
  async goOn(progress: Progress): Promise<Progress> {
    if (this.#context.stop.aborted) return progress;
    const reached = progress === "scheduled" ? progress : await this.#schedule();
    return reached === "scheduled" ? await this.#finish() : reached;
  }

  async #schedule(): Promise<Progress> {
    const { keyArn, markInactive } = this.#request;
    let takeMarkBack: TakeMarkBack | undefined;
    try {
      const known = this.#inUse() ?? (await this.#look());
      if (known !== undefined) return known;
      takeMarkBack = await markInactive?.(keyArn);
      // Marking it has taken a while.
      const inUse = this.#inUse();
      if (inUse === undefined) {
        await this.#scheduleMembers(this.#members.before);
        const progress = await this.#scheduleNow();
        await this.#scheduleMembers(this.#members.after);
        return progress;
      }
      await takeMarkBack?.();
      return inUse;
    } catch (error) {
      if (isUnknown(error)) this.#mayHaveTouched = true;
      const isPending = await this.#isPendingAfter(error, takeMarkBack);
      return isPending ? this.#scheduledAlready({ deletionDate: await this.#deletionDate() }) : this.#judge(error);
    }
  }

  async #scheduleNow(): Promise<Progress> {
    const { log, telemetry, stop } = this.#context;
    const { kms, keyArn, pendingWindowInDays } = this.#request;
    const { deletionDate, requestId } = await kms.scheduleKeyDeletion(keyArn, pendingWindowInDays, { signal: stop });
    telemetry?.count("keys_scheduled_for_deletion");
    log.info("Key scheduled for deletion", {
      ...fieldsOf(this.#request),
      deletion_date: deletionDate?.toISOString(),
      request_id: requestId,
    });
    return "scheduled";
  }

  /** The same key in other Regions. @throws KmsError: the next attempt goes on where this one ended */
  async #scheduleMembers(members: readonly SetMember[]): Promise<void> {
    for (const member of members) await this.#scheduleMember(member);
  }

  async #scheduleMember({ region, keyArn, kms }: SetMember): Promise<void> {
    const { log, telemetry, stop } = this.#context;
    const { pendingWindowInDays, set } = this.#request;
    const takeMarkBack = await set?.markInactive?.(keyArn, kms);
    try {
      const { deletionDate, requestId } = await kms.scheduleKeyDeletion(keyArn, pendingWindowInDays, { signal: stop });
      telemetry?.count("keys_scheduled_for_deletion");
      log.info("Key scheduled for deletion", {
        ...fieldsOf(this.#request),
        key_arn: keyArn,
        replica_region: region,
        deletion_date: deletionDate?.toISOString(),
        request_id: requestId,
      });
    } catch (error) {
      if (refused(error, "NOT_FOUND") || isPendingRefusal(error)) return;
      await takeMarkBack?.();
      throw error;
    }
  }

  /**
   * After a failure a key of another server loses its mark, so that its server finds it as before. One of our own that was
   * replaced stays marked.
   *
   * @returns whether the key turns out to be pending deletion, by a call whose answer was lost
   */
  async #isPendingAfter(error: unknown, takeMarkBack: TakeMarkBack | undefined): Promise<boolean> {
    if (refused(error, "INVALID_STATE") && isPendingRefusal(error)) return true;
    if (takeMarkBack === undefined || this.#request.isOwn || refused(error, "NOT_FOUND")) return false;
    return (await takeMarkBack()) === "pending deletion";
  }

  #inUse(): Progress | undefined {
    const { isInUse, log } = this.#context;
    if (!isInUse(this.#request.keyArn)) return undefined;
    log.error("Key is in use and was not scheduled for deletion", fieldsOf(this.#request));
    return settled("in use");
  }

  /** @returns undefined when the key may go. @throws KmsError when KMS does not say */
  async #look(): Promise<Progress | undefined> {
    const { log, stop } = this.#context;
    const seen = await lookAtKey(this.#request, { log, signal: stop });
    switch (seen.kind) {
      case "may go":
        this.#members = seen.members;
        return undefined;
      case "not yet":
        log.debug("Key is not scheduled for deletion yet", { ...fieldsOf(this.#request), reason: seen.reason });
        return "waiting";
      case "not found":
        return this.#notFound();
      case "scheduled already":
        await this.#scheduleMembers([...seen.members.before, ...seen.members.after]);
        return this.#scheduledAlready(seen);
      default: {
        this.#stays(seen, seen.kind === "spared" && this.#request.isOwn === true);
        return settled(seen.kind);
      }
    }
  }

  /** @param isUnexpected of what this server has replaced itself */
  #stays({ reason, key }: { readonly reason: string; readonly key?: KeyMetadata }, isUnexpected: boolean): void {
    const { log } = this.#context;
    const lookedAfter = this.#request.set?.regions.lookedAfter ?? [];
    // Where its replicas are why it stays, an operator can end that.
    const remedy = key && whySetStays(key, lookedAfter) && removalOfReplicas(key, lookedAfter);
    const named = fieldsOf(this.#request);
    if (isUnexpected) log.warn("Key is to stay after all: not scheduled for deletion", { ...named, reason, remedy });
    else log.info("Key is to stay after all: not scheduled for deletion", { ...named, reason, remedy });
  }

  #notFound(): Progress {
    this.#context.log.info("Key no longer exists", fieldsOf(this.#request));
    return settled("not found");
  }

  #scheduledAlready({ deletionDate }: Pick<KeyMetadata, "deletionDate">): Progress {
    // Another process was faster, or it was an earlier attempt whose answer was lost.
    this.#context.log.info("Key is scheduled for deletion already", {
      ...fieldsOf(this.#request),
      deletion_date: deletionDate?.toISOString(),
    });
    return "scheduled";
  }

  #judge(error: unknown): Progress {
    const { log, stop, failures, waiting } = this.#context;
    if (refused(error, "NOT_FOUND")) return this.#notFound();
    if (refused(error, "INVALID_REQUEST")) {
      log.error("KMS will not schedule the key for deletion", { ...fieldsOf(this.#request), reason: explain(error) });
      return settled("refused");
    }
    if (stop.aborted) return "waiting";
    const fields = { ...fieldsOf(this.#request), reason: explain(error), waiting: waiting() };
    failures.run((more) => log.warn("Failed to schedule key deletion; it will be tried again", { ...fields, ...more }));
    return "waiting";
  }

  /** What follows the deletion: KMS puts no alias on the key any more, so this look is the last that is needed. */
  async #finish(): Promise<Progress> {
    const { log, stop } = this.#context;
    const { kms, keyArn, slot, staleAlias } = this.#request;
    try {
      if (slot !== undefined) await keepAliasOff(keyArn, slot, { kms, log, signal: stop });
      if (staleAlias !== undefined) await deleteStaleAlias(staleAlias, keyArn, { kms, log, signal: stop });
      return settled("scheduled");
    } catch (error) {
      // Not worth a warning: the deletion itself is under way. Giving up will be told.
      log.debug("Key is scheduled for deletion, but not all that goes with it is done", {
        ...fieldsOf(this.#request),
        reason: messageOf(error),
      });
      return "scheduled";
    }
  }

  async #deletionDate(): Promise<Date | undefined> {
    const { kms, keyArn } = this.#request;
    try {
      return (await kms.describeKey(keyArn, { signal: this.#context.stop })).deletionDate;
    } catch {
      return undefined;
    }
  }
}
