/** What an AWS operation is, and how one is written: the constraints of its input tied to what it does. */
import type { OperationContext } from "./context.ts";
import { readInput, type Shape } from "./validation.ts";

export type Service = "kms" | "sts" | "tagging" | "iam";

/** One AWS operation. Output members use Date and Uint8Array, as the SDKs do. */
export interface Operation {
  readonly service: Service;
  readonly name: string;
  /** Checks `input` as it was received, then carries the operation out. Throws AwsException. */
  call(context: OperationContext, input: unknown): object | undefined | Promise<object | undefined>;
}

interface OperationDefinition<I> {
  readonly service: Service;
  readonly name: string;
  readonly input: Shape<I>;
  readonly run: (context: OperationContext, input: I) => object | undefined | Promise<object | undefined>;
}

/** Ties input constraints and behaviour together. */
export function operation<I>({ service, name, input: shape, run }: OperationDefinition<I>): Operation {
  return { service, name, call: (context, input) => run(context, readInput(shape, input)) };
}
