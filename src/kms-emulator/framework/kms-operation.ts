/** How an operation of KMS is written: its name, from which the model gives the constraints of its input, and what it does. */
import { kmsModel } from "../model/kms-model.gen.ts";
import type { KmsOperations } from "../model/kms-types.gen.ts";
import type { OperationContext } from "./context.ts";
import { type Amendments, modelShape } from "./model-shape.ts";
import type { Operation } from "./operation.ts";
import { readInput } from "./validation.ts";

export type KmsName = keyof KmsOperations;
export type KmsInput<N extends KmsName> = KmsOperations[N]["input"];
export type KmsOutput<N extends KmsName> = KmsOperations[N]["output"];

interface KmsOperationDefinition<N extends KmsName> {
  readonly name: N;
  /** The largest Limit, where AWS documents a smaller one than its model has. */
  readonly maxLimit?: number;
  readonly run: (context: OperationContext, input: KmsInput<N>) => KmsOutput<N> | Promise<KmsOutput<N>>;
}

export function kmsOperation<N extends KmsName>({ name, maxLimit, run }: KmsOperationDefinition<N>): Operation {
  const facts = kmsModel.operations[name];
  if (facts === undefined) throw new Error(`the service model has no operation ${name}`);
  const amendments: Amendments = maxLimit === undefined ? {} : { Limit: { max: maxLimit } };
  const shape = modelShape(kmsModel, facts.input, amendments);
  return {
    service: "kms",
    name,
    call: (context, input) => run(context, readInput(shape, input) as KmsInput<N>),
  };
}
