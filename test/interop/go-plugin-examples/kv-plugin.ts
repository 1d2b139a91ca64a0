/** The key-value store of go-plugin's example, in files of the current folder as there. */
import { readFileSync, writeFileSync } from "node:fs";
import { serve, service } from "../../../src/go-plugin/index.ts";
import { Kv } from "./messages.ts";

await serve({
  cookie: { key: "BASIC_PLUGIN", value: "hello" },
  name: "kv",
  protocolVersions: [1, 3],
  services: [
    service(Kv, {
      get: ({ key }) => ({ value: readFileSync(`kv_${key}`) }),
      put({ key, value }) {
        writeFileSync(`kv_${key}`, `${Buffer.from(value).toString()}\n\nWritten from TypeScript`);
        return {};
      },
    }),
  ],
});
