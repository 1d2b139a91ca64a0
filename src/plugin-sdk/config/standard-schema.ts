/**
 * The interface by which schema libraries (Valibot, Zod, ArkType and others) check values, version 1 of
 * https://standardschema.dev: no library is preferred, and none is needed here.
 */

/** A schema of any library that follows the standard. */
export interface StandardSchema<Output> {
  readonly "~standard": {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => SchemaResult<Output> | Promise<SchemaResult<Output>>;
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined;
  };
}

export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly SchemaIssue[] };

export interface SchemaIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** `tls.ports[0]`, or an empty text for the whole. */
export function issuePath({ path = [] }: SchemaIssue): string {
  return path
    .map((step) => (typeof step === "object" ? step.key : step))
    .map((key, index) => (typeof key === "number" ? `[${key}]` : `${index === 0 ? "" : "."}${String(key)}`))
    .join("");
}
