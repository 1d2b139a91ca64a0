/** Drills: what SPIRE, the network and the kernel do to a plugin on a bad day. */
import type { CallOptions } from "../../go-plugin/grpc/grpc-client.ts";
import { GrpcStatusError } from "../../go-plugin/grpc/status-error.ts";
import type { ProcessPlugin } from "./test-host.ts";

/** A call of the plugin that takes long enough to be left. */
export type DrilledCall = (options: CallOptions) => Promise<unknown> | AsyncIterable<unknown>;

/**
 * Makes a call with a deadline that passes, as SPIRE's do.
 *
 * @throws Error when it answers before, or fails in another way
 */
export async function deadlineDrill(call: DrilledCall, timeoutMs = 100): Promise<void> {
  await expectFailure("DEADLINE_EXCEEDED", () => call({ timeoutMs }));
}

/**
 * Makes a call and leaves it.
 *
 * @param when resolves when it is time to leave, such as when the handler has begun; default: shortly after the start
 * @throws Error when it answers before, or fails in another way
 */
export async function cancelDrill(call: DrilledCall, when?: Promise<unknown>): Promise<void> {
  const controller = new AbortController();
  const leave = (): void => controller.abort();
  void (when ?? new Promise((resolve) => setTimeout(resolve, 100))).then(leave, leave);
  await expectFailure("CANCELLED", () => call({ signal: controller.signal }));
}

/**
 * Kills the plugin, and starts it again as SPIRE's operator would.
 *
 * @param start how it is started and configured
 * @param call what has to work again afterwards
 */
export async function killDrill(
  plugin: ProcessPlugin,
  start: () => Promise<ProcessPlugin>,
  call: (plugin: ProcessPlugin) => Promise<unknown>,
): Promise<ProcessPlugin> {
  await plugin.kill();
  await expectFailure("UNAVAILABLE", () => call(plugin));
  const again = await start();
  await call(again);
  return again;
}

async function expectFailure(code: string, call: () => Promise<unknown> | AsyncIterable<unknown>): Promise<void> {
  let answers = 0;
  try {
    const answer = call();
    if (Symbol.asyncIterator in answer) for await (const _ of answer) answers += 1;
    else await answer;
  } catch (error) {
    if (error instanceof GrpcStatusError && error.code === code) return;
    throw new Error(`the call should have failed with ${code}: ${(error as Error).message}`, { cause: error });
  }
  throw new Error(`the call should have failed with ${code}, and ended well${answers > 0 ? ` after ${answers}` : ""}`);
}
