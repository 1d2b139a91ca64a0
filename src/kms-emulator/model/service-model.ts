/** What AWS publishes about a service: operations, and the shapes of what goes in and out. */

export interface ModelShape {
  readonly type: string;
  /** Of a structure: the shape of each member. */
  readonly members?: Readonly<Record<string, string>>;
  readonly required?: readonly string[];
  /** Of a list: the shape of its elements. */
  readonly member?: string;
  /** Of a map. */
  readonly key?: string;
  readonly value?: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  /** The value is never quoted in a message. */
  readonly isSensitive?: boolean;
}

export interface ModelOperation {
  readonly input: string;
  /** Absent: the answer has an empty body. */
  readonly output?: string;
  readonly errors: readonly string[];
}

export interface ServiceModel {
  readonly operations: Readonly<Record<string, ModelOperation>>;
  readonly shapes: Readonly<Record<string, ModelShape>>;
}

/** The shape of this name; a model without it is a defect of ours. */
export function shapeNamed(model: ServiceModel, name: string): ModelShape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`the service model has no shape ${name}`);
  return shape;
}
