/** The clients: what each is started as, what its day must end with, and which operations it cannot do without. */
import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { pythonEnvironment } from "../python-environment.ts";
import { cliDay } from "./aws-cli.ts";
import { goClients } from "./go-clients.ts";

const run = promisify(execFile);
const python = (name: string): string => fileURLToPath(new URL(`python/${name}`, import.meta.url));

export const account = "111122223333";

export interface Client {
  readonly name: string;
  /** What must be seen in the end. */
  readonly expected: Readonly<Record<string, unknown>>;
  /** Throws Unavailable if this machine cannot have it. */
  day(env: NodeJS.ProcessEnv): Promise<unknown>;
}

const packages = [
  "boto3==1.44.8",
  "botocore==1.44.8",
  "awscli==1.46.3",
  "aws-encryption-sdk==4.0.7",
  "cryptography==50.0.2",
];

export const environment = (): Promise<string> => pythonEnvironment("clients", packages);

async function pythonDay(file: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const bin = await environment();
  const { stdout } = await run(join(bin, "python"), [python(file)], { env, timeout: 300_000 });
  return JSON.parse(stdout) as unknown;
}

async function goDay(name: string, env: NodeJS.ProcessEnv): Promise<unknown> {
  const { stdout } = await run(await goClients(), [name], { env, timeout: 300_000 });
  return JSON.parse(stdout) as unknown;
}

const inGo = (name: string, expected: Client["expected"]): Client => ({
  name,
  expected,
  day: (env) => goDay(name, env),
});

export const clients: readonly Client[] = [
  {
    name: "aws-cli",
    expected: {
      account,
      signed: true,
      tags: [{ TagKey: "team", TagValue: "web" }],
      aliases: ["alias/cli"],
      opened: "password",
      refused: "NotFoundException",
      state: "PendingDeletion",
    },
    day: async (env) => cliDay(join(await environment(), "aws"), env),
  },
  {
    name: "aws-encryption-sdk",
    expected: { both: true, second: true, stranger: "DecryptKeyError", cached: true },
    day: (env) => pythonDay("encryption_sdk_day.py", env),
  },
  inGo("aws-sdk-go-v2", { account, signed: true, opened: true, mac: true }),
  {
    name: "boto3",
    expected: {
      account,
      signed: true,
      forged: "KMSInvalidSignatureException",
      listed: true,
      keys: true,
      tags: [{ TagKey: "team", TagValue: "web" }],
      opened: true,
      "without context": "InvalidCiphertextException",
      moved: true,
      granted: true,
      random: 24,
      disabled: "DisabledException",
      state: "PendingDeletion",
      rescued: "Disabled",
    },
    day: (env) => pythonDay("boto3_day.py", env),
  },
  inGo("sigstore", { ECC_NIST_P256: true, ECC_NIST_P384: true, RSA_2048: true }),
  inGo("sops", { opened: true }),
  inGo("step", { chain: 3 }),
  inGo("terraform", { destroyed: 5 }),
  inGo("vault", { opened: true, keyId: true }),
];
