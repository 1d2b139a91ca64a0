/** How long a session may last. */
import type { Role } from "../directory/directory.ts";
import { invalid } from "../exceptions.ts";
import type { OperationContext } from "../framework/context.ts";

const chainedMaxSeconds = 3600;

/** Session length in seconds; throws ValidationError beyond the role's maximum, or an hour for a role's role. */
export function durationOf(
  context: OperationContext,
  role: Role,
  requested: number | undefined,
  isChained: boolean,
): number {
  if (isChained && requested !== undefined && requested > chainedMaxSeconds) {
    throw invalid("The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining");
  }
  if (context.directory.isStrict && requested !== undefined && requested > role.maxSessionSeconds) {
    throw invalid("The requested DurationSeconds exceeds the MaxSessionDuration set for this role.");
  }
  return requested ?? 3600;
}
