/** The TaggingClient port over AWS SDK v3. */
import type { CallOptions, Page, TagFilter, TaggedKey, TaggingClient } from "../key-manager/ports.ts";
import { Answer } from "./calls/answer.ts";
import { pages } from "./calls/pages.ts";
import type { Caller } from "./calls/retry.ts";
import type { GetResources } from "./tagging-sdk.ts";

const resourcesPerPage = 100;

export class AwsTaggingClient implements TaggingClient {
  readonly #find: () => Promise<GetResources>;
  readonly #caller: Caller;

  /** @param find a client that makes no retries of its own (`maxAttempts: 1`), once it is wanted */
  constructor(find: () => Promise<GetResources>, caller: Caller) {
    this.#find = find;
    this.#caller = caller;
  }

  getResources(filters: readonly TagFilter[], { signal }: CallOptions = {}): AsyncIterable<Page<TaggedKey>> {
    const request = {
      ResourceTypeFilters: ["kms:key"],
      TagFilters: filters.map(({ key, value }) => ({ Key: key, Values: [value] })),
      ResourcesPerPage: resourcesPerPage,
    };
    return pages({
      operation: "GetResources",
      caller: this.#caller,
      signal,
      fetch: async (PaginationToken, cut) => {
        const token = PaginationToken === undefined ? {} : { PaginationToken };
        const getResources = await this.#find();
        const output = await getResources({ ...request, ...token }, { abortSignal: cut.signal });
        const answer = new Answer("GetResources", output);
        const items = answer.list("ResourceTagMappingList").map(
          (resource): TaggedKey => ({
            keyArn: resource.text("ResourceARN"),
            tags: new Map(resource.list("Tags").map((tag) => [tag.text("Key"), tag.optionalText("Value") ?? ""])),
          }),
        );
        return { items, next: answer.optionalText("PaginationToken") };
      },
    });
  }
}
