/** The counter of go-plugin's bidirectional example: the host does the sums, on a listener of its own. */
import { readFileSync, writeFileSync } from "node:fs";
import { serve, service } from "../../../src/go-plugin/index.ts";
import { AddHelper, Counter } from "./messages.ts";

const read = (key: string): bigint => {
  try {
    return BigInt(readFileSync(`kv_${key}`, "utf8"));
  } catch {
    return 0n;
  }
};

await serve({
  cookie: { key: "BASIC_PLUGIN", value: "hello" },
  name: "counter",
  services: ({ broker }) => [
    service(Counter, {
      get: ({ key }) => ({ value: read(key) }),
      async put({ key, value, addServer }) {
        const host = await broker.dial(addServer);
        const { r } = await host.client(AddHelper).sum({ a: read(key), b: value });
        writeFileSync(`kv_${key}`, String(r));
        host.close();
        return {};
      },
    }),
  ],
});
