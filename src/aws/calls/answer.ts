/** Reading answers member by member: what is not of its type is from something that is not KMS. */
import { KmsError } from "../../key-manager/ports.ts";

/** Longer than any text that KMS, STS, IAM and the tagging API answer with: a description has up to 8,192 characters. */
const maxCharacters = 10_000;

/** No key, alias or deletion is older than KMS, and none is from another century. A date that is wrong decides about deletions. */
const earliest = Date.UTC(2014, 0);
const latest = Date.UTC(2100, 0);

/** An answer to one operation. Everything that is read from it is checked; all throw {@link KmsError} `UNAVAILABLE`. */
export class Answer {
  readonly #operation: string;
  readonly #members: Readonly<Record<string, unknown>>;
  readonly #path: string;

  constructor(operation: string, members: unknown, path = "") {
    this.#operation = operation;
    this.#path = path;
    if (typeof members !== "object" || members === null || Array.isArray(members)) throw this.malformed("");
    this.#members = members as Readonly<Record<string, unknown>>;
  }

  /** A string that is there and not empty. */
  text(name: string): string {
    return this.optionalText(name) || this.#fail(name);
  }

  optionalText(name: string): string | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined || (typeof value === "string" && value.length <= maxCharacters)) return value;
    return this.#fail(name);
  }

  bytes(name: string): Uint8Array {
    const value = this.#members[name];
    return value instanceof Uint8Array && value.length > 0 ? value : this.#fail(name);
  }

  optionalDate(name: string): Date | undefined {
    const value = this.#members[name] ?? undefined;
    if (value === undefined) return undefined;
    // A date that is none compares with nothing.
    const isDate = value instanceof Date && value.getTime() >= earliest && value.getTime() < latest;
    return isDate ? value : this.#fail(name);
  }

  object(name: string): Answer {
    return new Answer(this.#operation, this.#members[name], `${this.#path}${name}.`);
  }

  /** A list that is there: a listing that lacks it must not pass for an empty one. */
  list(name: string): readonly Answer[] {
    const value = this.#members[name];
    if (!Array.isArray(value)) return this.#fail(name);
    return value.map((item: unknown, index) => new Answer(this.#operation, item, `${this.#path}${name}[${index}].`));
  }

  /** Whether there is such a member. */
  has(name: string): boolean {
    return (this.#members[name] ?? undefined) !== undefined;
  }

  /** A flag that may not be there, which means no. */
  isTrue(name: string): boolean {
    const value = this.#members[name] ?? false;
    return typeof value === "boolean" ? value : this.#fail(name);
  }

  /** The call may have happened: only its answer is of no use. */
  malformed(trouble: string): KmsError {
    return new KmsError(trouble || `the answer's ${this.#path.slice(0, -1) || "body"} is not what KMS answers`, {
      code: "UNAVAILABLE",
      operation: this.#operation,
      awsName: "MalformedResponse",
      outcomeUnknown: true,
    });
  }

  #fail(name: string): never {
    const what = this.has(name) ? "is not of its type" : "is missing";
    throw this.malformed(`the answer's ${this.#path}${name} ${what}`);
  }
}
