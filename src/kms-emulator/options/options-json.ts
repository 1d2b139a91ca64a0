/** Reads options from JSON text. */
import { EmulatorError } from "../errors.ts";
import { unknownOption } from "./option-names.ts";
import type { EmulatorOptions } from "./options.ts";

/** Options as a file gives them: JSON, so without a clock. */
export type JsonOptions = Omit<EmulatorOptions, "clock">;

type Check = (value: unknown) => boolean;

const isString: Check = (value) => typeof value === "string";
const isBoolean: Check = (value) => typeof value === "boolean";
const isCount: Check = (value) => typeof value === "number" && Number.isFinite(value) && value >= 0;
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const isPolicy: Check = (value) => isString(value) || isObject(value);

const listOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);

/** An object of these members and no others; those ending in `?` may be missing. */
function objectOf(members: Readonly<Record<string, Check>>): Check {
  return (value) => {
    if (!isObject(value)) return false;
    const names = Object.keys(members).map((name) => name.replace("?", ""));
    if (Object.keys(value).some((name) => !names.includes(name))) return false;
    return Object.entries(members).every(([name, check]) => {
      const given = value[name.replace("?", "")];
      return given === undefined ? name.endsWith("?") : check(given);
    });
  };
}

const address = objectOf({ "host?": isString, "port?": isCount });

const tls = objectOf({ "names?": listOf(isString), "folder?": isString });

const checks: Record<keyof JsonOptions, Check> = {
  host: isString,
  port: isCount,
  dataFile: isString,
  fsync: isBoolean,
  tls: (value) => isBoolean(value) || tls(value),
  control: address,
  requestTimeoutMs: isCount,
  account: isString,
  region: isString,
  identities: listOf(
    objectOf({
      accessKeyId: isString,
      arn: isString,
      "secretAccessKey?": isString,
      "sessionToken?": isString,
      "userId?": isString,
      "roleArn?": isString,
      "policies?": listOf(isPolicy),
    }),
  ),
  roles: listOf(
    objectOf({
      arn: isString,
      "trustPolicy?": isPolicy,
      "policies?": listOf(isPolicy),
      "maxSessionDurationSeconds?": isCount,
    }),
  ),
  oidcProviders: listOf(objectOf({ issuer: isString, keys: listOf(isObject), "audiences?": listOf(isString) })),
  principals: listOf(isString),
  verifySignatures: isBoolean,
  authorize: isBoolean,
  quotas: (value) => isBoolean(value) || (isObject(value) && Object.values(value).every(isCount)),
  seed: isCount,
  // What is in them is checked, with the place of each problem, when they are planted.
  seeds: isObject,
  seedFile: isString,
  journalLimit: isCount,
  reuseRsaKeys: isCount,
  awsManagedAliases: isBoolean,
  limits: objectOf({
    "keysPerRegion?": isCount,
    "aliasesPerKey?": isCount,
    "tagsPerKey?": isCount,
    "policyBytes?": isCount,
    "grantsPerKey?": isCount,
    "onDemandRotationsPerKey?": isCount,
  }),
  transitionMs: isCount,
};

/** Throws EmulatorError INVALID_OPTION that names the option which is unknown or not as it must be. */
export function readJsonOptions(text: string): JsonOptions {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new EmulatorError("INVALID_OPTION", (cause as Error).message, { cause });
  }
  if (!isObject(value)) throw new EmulatorError("INVALID_OPTION", "it must hold a JSON object of options");
  for (const [name, given] of Object.entries(value)) {
    if (!Object.hasOwn(checks, name)) throw unknownOption(name);
    if (!checks[name as keyof JsonOptions](given)) {
      throw new EmulatorError("INVALID_OPTION", `option ${name} is not of the form that the documentation shows`);
    }
  }
  return value as JsonOptions;
}
