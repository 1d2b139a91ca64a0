/** Following a listing from page to page. */
import { KmsError, type Page } from "../../key-manager/ports.ts";
import type { Cut } from "./cut.ts";
import { type Caller, withRetries } from "./retry.ts";

export interface PageAnswer<T> {
  readonly items: readonly T[];
  /** KMS's `NextMarker`, the tagging API's `PaginationToken`; undefined or empty on the last page. */
  readonly next: string | undefined;
  /** When the service says it gave this answer. */
  readonly serverTime?: Date | undefined;
}

interface PagesOptions<T> {
  readonly operation: string;
  readonly caller: Caller;
  readonly signal: AbortSignal | undefined;
  /** How long a page that the service throttles is asked for again. Default: as often as any other call. */
  readonly throttledForMs?: number | undefined;
  /** @param cut the request's end before its answer */
  readonly fetch: (marker: string | undefined, cut: Cut) => Promise<PageAnswer<T>>;
}

/** KMS's own quotas allow a tenth of it: 100,000 keys, each with a few aliases, 100 to a page. */
const maxPages = 100_000;
/** A search through tags may give a few of them in a row. */
const maxEmptyPagesInARow = 1_000;

const endless = (operation: string, why: string) =>
  new KmsError(`the listing has no end: ${why}`, {
    code: "UNAVAILABLE",
    operation,
    awsName: "MalformedResponse",
    outcomeUnknown: false,
  });

/** @throws KmsError, also for a listing that would go on for ever: one marker twice, too many pages, empty ones without end */
export async function* pages<T>(options: PagesOptions<T>): AsyncGenerator<Page<T>> {
  const { operation, caller, signal, throttledForMs, fetch } = options;
  let marker: string | undefined;
  const seen = new Set<string>();
  let emptyInARow = 0;
  for (;;) {
    const current = marker;
    const { items, next, serverTime } = await withRetries((cut) => fetch(current, cut), {
      operation,
      caller,
      signal,
      repeatable: true,
      throttledForMs,
    });
    yield { items, serverTime };
    marker = next === "" ? undefined : next;
    if (marker === undefined) return;
    if (seen.has(marker)) throw endless(operation, "the same page marker came twice");
    seen.add(marker);
    if (seen.size >= maxPages) throw endless(operation, `more than ${maxPages} pages`);
    emptyInARow = items.length === 0 ? emptyInARow + 1 : 0;
    if (emptyInARow >= maxEmptyPagesInARow) throw endless(operation, `${emptyInARow} empty pages in a row`);
  }
}
