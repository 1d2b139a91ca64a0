/** Has SPIRE Server's CA signed by a command of the operator's: `openssl`, `step`, or whatever the CA above comes with. */
import { X509Certificate } from "node:crypto";
import { hclConfig, type MintedCa, type PluginImplementation, StatusError, upstreamAuthority } from "spire-plugin-sdk";
import * as v from "valibot";
import { certificatesIn, csrToPem } from "./pem.ts";
import { readRoots, rootsWhenChanged } from "./roots.ts";
import { runCommand } from "./run-command.ts";

const absolute = v.pipe(v.string(), v.startsWith("/", "give an absolute path"));

/** A new plugin: SPIRE has one a process, tests have one each. */
export function createPlugin(): PluginImplementation {
  const config = hclConfig({
    schema: v.strictObject({
      /** Gets the CSR as PEM on stdin, and PREFERRED_TTL, seconds, in its environment; prints the chain as PEM. */
      command: absolute,
      args: v.optional(v.array(v.string()), []),
      /** The roots as PEM. SPIRE is told when they change. */
      roots_file: v.pipe(v.string(), v.minLength(1)),
      /** Seconds between looks at `roots_file`. */
      roots_interval: v.optional(v.pipe(v.number(), v.minValue(0.01)), 60),
    }),
    // A start that cannot work later is no start.
    apply: async ({ settings }) => void (await readRoots(settings.roots_file)),
  });
  return {
    config,
    services: [
      upstreamAuthority({
        async *mintX509CAAndSubscribe({ csr, preferredTtl }, { signal, log }): AsyncGenerator<MintedCa> {
          const { command, args, roots_file, roots_interval } = config.current.settings;
          const env: Record<string, string> = preferredTtl === undefined ? {} : { PREFERRED_TTL: String(preferredTtl) };
          const printed = await runCommand({ command, args, env, input: csrToPem(csr), signal, log });
          const x509CaChain = certificatesIn(printed);
          const roots = await readRoots(roots_file);
          checkChain(x509CaChain, command);
          log.info("CA minted", { certificates: x509CaChain.length, roots: roots.length });
          yield { x509CaChain, upstreamX509Roots: roots };
          for await (const changed of rootsWhenChanged(roots, roots_file, roots_interval * 1000, signal, log)) {
            log.info("roots have changed", { roots: changed.length });
            yield { upstreamX509Roots: changed };
          }
        },
      }),
    ],
  };
}

/** SPIRE would say no more than that the certificate cannot be used. */
function checkChain(chain: readonly Uint8Array[], command: string): void {
  const [first] = chain;
  if (first === undefined) throw new StatusError("UNAVAILABLE", `${command} printed no certificate`);
  if (!new X509Certificate(first).ca) {
    throw new StatusError("FAILED_PRECONDITION", `${command} printed a certificate that is no CA's`);
  }
}
