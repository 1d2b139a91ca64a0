/** The names of all options, so that a misspelt one is told. */
import { didYouMean, EmulatorError } from "../errors.ts";
import type { EmulatorOptions } from "./options.ts";

const names: Readonly<Record<keyof EmulatorOptions, true>> = {
  account: true,
  authorize: true,
  awsManagedAliases: true,
  clock: true,
  control: true,
  dataFile: true,
  fsync: true,
  host: true,
  identities: true,
  journalLimit: true,
  limits: true,
  oidcProviders: true,
  port: true,
  principals: true,
  quotas: true,
  region: true,
  requestTimeoutMs: true,
  reuseRsaKeys: true,
  roles: true,
  seed: true,
  seedFile: true,
  seeds: true,
  tls: true,
  transitionMs: true,
  verifySignatures: true,
};

export const unknownOption = (name: string): EmulatorError =>
  new EmulatorError("INVALID_OPTION", `there is no option ${name}${didYouMean(name, Object.keys(names))}`);

/** Throws EmulatorError INVALID_OPTION for a name that is none: callers without types would not notice. */
export function requireKnownOptions(options: object): void {
  const stray = Object.keys(options).find((name) => !Object.hasOwn(names, name));
  if (stray !== undefined) throw unknownOption(stray);
}
