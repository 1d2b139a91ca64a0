/** What plugin code prints reaches the host, and no more of it is kept than allowed. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { create } from "@bufbuild/protobuf";
import { EmptySchema } from "@bufbuild/protobuf/wkt";
import { GRPCStdio, type StdioData } from "../../gen/plugin/grpc_stdio_pb.ts";
import { connectGrpc } from "../grpc/grpc-client.ts";
import { startGrpcServer } from "../grpc/grpc-server.ts";
import { silentLogger } from "../hclog/logger.ts";
import { listenOnUnixSocket } from "../socket/unix-socket.ts";
import { createStdioService } from "./grpc-stdio.ts";

describe("the stdio service", () => {
  it("keeps the newest output for a host that opens the stream late, and not without end", async () => {
    const stdio = createStdioService();
    for (let i = 0; i < 2000; i += 1) stdio.write("stdout", Buffer.from(`line ${String(i).padStart(500, "0")}\n`));
    stdio.close();
    const listener = await listenOnUnixSocket();
    const server = startGrpcServer({ listener, services: [stdio.registration], log: silentLogger });
    const connection = connectGrpc(listener);
    const stream = connection.openReadable(GRPCStdio.method.streamStdio, create(EmptySchema));
    let text = "";
    stream.on("data", ({ data }: StdioData) => {
      text += Buffer.from(data).toString();
    });
    await new Promise((resolve, reject) => {
      stream.once("end", resolve);
      stream.once("error", reject);
    });
    assert.ok(text.length <= 256 * 1024 && text.length > 200 * 1024, `${text.length} bytes kept`);
    assert.ok(text.endsWith("1999\n"));
    connection.close();
    await server.stop(50);
  });
});
