/** Following a listing from page to page. */
import { KmsError, type Page } from "../../key-manager/ports.ts";
import { abortBy, type Caller, withRetries } from "./retry.ts";

export interface PageAnswer<T> {
  readonly items: readonly T[];
  /** KMS's `NextMarker`, the tagging API's `PaginationToken`; undefined or empty on the last page. */
  readonly next: string | undefined;
}

export interface PagesOptions<T> {
  readonly operation: string;
  readonly caller: Caller;
  readonly signal: AbortSignal | undefined;
  readonly fetch: (marker: string | undefined, abort: { abortSignal?: AbortSignal }) => Promise<PageAnswer<T>>;
  /** When the service says it answered last. */
  readonly serverTime: () => Date | undefined;
}

/** @throws KmsError, also when the service hands out one marker twice, which would go on for ever */
export async function* pages<T>(options: PagesOptions<T>): AsyncGenerator<Page<T>> {
  const { operation, caller, signal, fetch, serverTime } = options;
  let marker: string | undefined;
  const seen = new Set<string>();
  do {
    const current = marker;
    const { items, next } = await withRetries(() => fetch(current, abortBy(signal)), {
      operation,
      caller,
      signal,
      repeatable: true,
    });
    yield { items, serverTime: serverTime() };
    marker = next === "" ? undefined : next;
    if (marker !== undefined && seen.has(marker)) {
      throw new KmsError("the same page marker came twice", {
        code: "UNAVAILABLE",
        operation,
        awsName: "MalformedResponse",
        outcomeUnknown: false,
      });
    }
    if (marker !== undefined) seen.add(marker);
  } while (marker !== undefined);
}
