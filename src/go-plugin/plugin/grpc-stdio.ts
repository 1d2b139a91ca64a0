/** The service that carries what plugin code prints to the host. */
import { StdioData_Channel as Channel, GRPCStdio } from "../../gen/plugin/grpc_stdio_pb.ts";
import { AsyncQueue } from "../grpc/async-queue.ts";
import { type ServiceRegistration, service } from "../grpc/grpc-service.ts";
import type { StdioChannel } from "../stdio-channel.ts";

/** Bytes kept for a host that has not opened the stream, or reads it slowly; the oldest output goes first. */
const maxKeptBytes = 256 * 1024;
/** go-plugin sends at most this much in one message. */
const chunkBytes = 1024;

interface Chunk {
  readonly channel: StdioChannel;
  readonly data: Buffer;
}

export interface StdioService {
  readonly registration: ServiceRegistration;
  write(channel: StdioChannel, data: Buffer): void;
  /** Ends the host's stream after what was written. */
  close(): void;
}

/** plugin.GRPCStdio: what the plugin's code prints after the handshake, as a stream for the host. */
export function createStdioService(): StdioService {
  const chunks = new AsyncQueue<Chunk>();
  let keptBytes = 0;
  return {
    registration: service(GRPCStdio, {
      async *streamStdio(_request, context) {
        for await (const chunk of chunks.read(context.signal)) {
          keptBytes -= chunk.data.length;
          yield { channel: chunk.channel === "stdout" ? Channel.STDOUT : Channel.STDERR, data: chunk.data };
        }
      },
    }),
    write(channel, data) {
      for (let start = 0; start < data.length; start += chunkBytes) {
        const piece = Buffer.from(data.subarray(start, start + chunkBytes));
        chunks.push({ channel, data: piece });
        keptBytes += piece.length;
      }
      while (keptBytes > maxKeptBytes) {
        const dropped = chunks.dropOldest();
        if (dropped === undefined) break;
        keptBytes -= dropped.data.length;
      }
    },
    close: () => chunks.close(),
  };
}
