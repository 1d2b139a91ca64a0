/** The demonstration: the life of a SPIRE Server's keys on the embedded KMS, told step by step. */
import { mkdtemp, rm } from "node:fs/promises";
import { devNull, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { type Emulator, startEmulator } from "../../kms-emulator/index.ts";
import { KeyType, type PublicKey } from "../../plugin-sdk/index.ts";
import type { Checks } from "./checks.ts";
import { isJwtSignedBy, issueCaCertificate, issueJwt, publicKeyOf } from "./signing.ts";
import { type SpireServer, sampleConfiguration, startServer } from "./spire-server.ts";

const trustDomain = "example.org";

const keys = [
  { keyId: "x509-CA-A", keyType: KeyType.EC_P256, name: "ec-p256" },
  { keyId: "x509-CA-B", keyType: KeyType.EC_P384, name: "ec-p384" },
  { keyId: "JWT-Signer-A", keyType: KeyType.RSA_2048, name: "rsa-2048" },
  { keyId: "JWT-Signer-B", keyType: KeyType.RSA_4096, name: "rsa-4096" },
] as const;

export interface DemoOptions {
  readonly pluginCommand: string;
  readonly checks: Checks;
  /** Prints the plugin's log lines. */
  readonly onLogLine?: (line: string) => void;
  /** Ends the demonstration early; the reason is thrown when all that it started is stopped and removed. */
  readonly signal: AbortSignal;
}

interface Stage extends DemoOptions {
  readonly servers: Set<SpireServer>;
  readonly emulator: Emulator;
  readonly folder: string;
}

const required = (key: PublicKey | undefined): PublicKey => {
  if (key === undefined) throw new Error("the plugin answered without a public key");
  return key;
};

async function start(stage: Stage, name: string): Promise<SpireServer> {
  const folder = await mkdtemp(join(stage.folder, `${name}-`));
  return startIn(stage, folder);
}

/**
 * As on a machine with AWS credentials in its environment, which the plugin inherits from SPIRE; and without anything of
 * this machine's own that could lead to a real account.
 */
function awsEnvironment(endpoint: string): Readonly<Record<string, string | undefined>> {
  const inherited = Object.keys(process.env).filter((name) => name.startsWith("AWS_"));
  return {
    ...Object.fromEntries(inherited.map((name) => [name, undefined])),
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    AWS_EC2_METADATA_DISABLED: "true",
    AWS_ENDPOINT_URL: endpoint,
    AWS_ACCESS_KEY_ID: "demo",
    AWS_SECRET_ACCESS_KEY: "demo",
  };
}

async function startIn(stage: Stage, folder: string): Promise<SpireServer> {
  const { pluginCommand, emulator, onLogLine, servers } = stage;
  const server = await startServer({
    pluginCommand,
    folder,
    trustDomain,
    configuration: sampleConfiguration,
    // A plugin that is killed leaves its socket, which goes with the folder.
    env: { ...awsEnvironment(emulator.endpoint), PLUGIN_UNIX_SOCKET_DIR: stage.folder },
    ...(onLogLine === undefined ? {} : { onLogLine }),
  });
  servers.add(server);
  return server;
}

async function generate(
  server: SpireServer,
  { keyId, keyType }: { keyId: string; keyType: KeyType },
): Promise<PublicKey> {
  const { publicKey } = await server.keyManager.generateKey({ keyId, keyType });
  return required(publicKey);
}

async function fingerprints({ keyManager }: SpireServer): Promise<ReadonlyMap<string, string>> {
  const { publicKeys } = await keyManager.getPublicKeys({});
  return new Map(publicKeys.map(({ id, fingerprint }) => [id, fingerprint]));
}

/** SPIRE's name for what the public key itself turns out to be. */
function keyTypeName(key: PublicKey): string {
  const { asymmetricKeyType, asymmetricKeyDetails } = publicKeyOf(key);
  const curves: Readonly<Record<string, string>> = { prime256v1: "ec-p256", secp384r1: "ec-p384" };
  return asymmetricKeyType === "rsa"
    ? `rsa-${asymmetricKeyDetails?.modulusLength}`
    : (curves[asymmetricKeyDetails?.namedCurve ?? ""] ?? "unknown");
}

async function generateAll(server: SpireServer, checks: Checks): Promise<Map<string, PublicKey>> {
  checks.heading("SPIRE asks for its keys: one of every type, made in KMS");
  const made = new Map<string, PublicKey>();
  for (const key of keys) {
    checks.doing(`making ${key.keyId}`);
    const publicKey = await generate(server, key);
    made.set(key.keyId, publicKey);
    checks.check(keyTypeName(publicKey) === key.name, `${key.keyId} is an ${key.name} key`);
  }
  return made;
}

async function sign(server: SpireServer, made: ReadonlyMap<string, PublicKey>, checks: Checks): Promise<void> {
  checks.heading("It signs: CA certificates and a JWT-SVID, digests in, signatures out, private keys never");
  const certificates = [
    ["x509-CA-A", "sha256"],
    ["x509-CA-A", "sha512"],
    ["x509-CA-B", "sha384"],
  ] as const;
  for (const [keyId, digest] of certificates) {
    const key = required(made.get(keyId));
    const certificate = await issueCaCertificate(server, key, digest, trustDomain);
    const verifies = certificate.ca && certificate.verify(publicKeyOf(key));
    checks.check(verifies, `CA certificate of ${keyId} over ${digest.toUpperCase()} verifies`);
  }
  const jwtKey = required(made.get("JWT-Signer-A"));
  const jwt = await issueJwt(server, jwtKey, trustDomain);
  checks.check(isJwtSignedBy(jwt, jwtKey), "JWT-SVID of JWT-Signer-A verifies (RS256)");
  checks.check(!isJwtSignedBy(jwt.replace(/^./, "f"), jwtKey), "a tampered JWT-SVID does not");
}

interface KeyRow {
  readonly aliases: readonly string[];
  readonly keyId: string;
  readonly spec: string;
  readonly state: string;
  readonly deletionDate: string;
}

/** What is in KMS, seen through its own API. */
async function keysInKms({ control }: Emulator): Promise<readonly KeyRow[]> {
  const call = async <T>(operation: string, input: object) =>
    (await control.callByName(operation, input, { region: "us-east-2" })) as T;
  interface Metadata {
    KeyId: string;
    KeySpec: string;
    KeyState: string;
    DeletionDate?: number | Date;
  }
  const { Keys } = await call<{ Keys: readonly { KeyId: string }[] }>("ListKeys", { Limit: 1000 });
  return Promise.all(
    Keys.map(async ({ KeyId }) => {
      const { KeyMetadata } = await call<{ KeyMetadata: Metadata }>("DescribeKey", { KeyId });
      const { Aliases } = await call<{ Aliases: readonly { AliasName: string }[] }>("ListAliases", { KeyId });
      const { DeletionDate } = KeyMetadata;
      const date = typeof DeletionDate === "number" ? new Date(DeletionDate * 1000) : DeletionDate;
      return {
        aliases: Aliases.map(({ AliasName }) => AliasName),
        keyId: KeyId,
        spec: KeyMetadata.KeySpec,
        state: KeyMetadata.KeyState,
        deletionDate: date?.toISOString().slice(0, 10) ?? "",
      };
    }),
  );
}

async function pendingDeletions(emulator: Emulator): Promise<number> {
  return (await keysInKms(emulator)).filter(({ state }) => state === "PendingDeletion").length;
}

async function rotate(stage: Stage, server: SpireServer, made: Map<string, PublicKey>): Promise<void> {
  const { checks, emulator } = stage;
  checks.heading("It rotates: the alias moves to a new key, the old one is scheduled for deletion");
  const before = required(made.get("x509-CA-A"));
  const after = await generate(server, keys[0]);
  made.set("x509-CA-A", after);
  checks.check(after.fingerprint !== before.fingerprint, "x509-CA-A stands for a new key");
  const certificate = await issueCaCertificate(server, after, "sha256", trustDomain);
  checks.check(certificate.verify(publicKeyOf(after)), "it signs under the same id with the new key");
  for (let wait = 0; wait < 100 && (await pendingDeletions(emulator)) === 0; wait++) await delay(50);
  checks.check((await pendingDeletions(emulator)) === 1, "the old key is pending deletion");
}

async function crash(stage: Stage, server: SpireServer, folder: string): Promise<SpireServer> {
  const { checks } = stage;
  checks.heading("It is killed (SIGKILL) and started again");
  const before = await fingerprints(server);
  await server.plugin.kill();
  checks.doing("starting the plugin again");
  const again = await startIn(stage, folder);
  const after = await fingerprints(again);
  const isSame = before.size === keys.length && [...before].every(([keyId, print]) => after.get(keyId) === print);
  checks.check(isSame && after.size === before.size, `the same ${before.size} keys are found by their aliases`);
  return again;
}

async function second(stage: Stage, first: SpireServer): Promise<void> {
  const { checks } = stage;
  checks.heading("A second server of the same trust domain starts beside it");
  checks.doing("starting a second server's plugin");
  const server = await start(stage, "server-2");
  try {
    checks.check((await fingerprints(server)).size === 0, "it does not see the first server's keys");
    const own = await generate(server, keys[0]);
    const firsts = await fingerprints(first);
    checks.check(firsts.get("x509-CA-A") !== own.fingerprint, "its x509-CA-A is its own");
    checks.check(firsts.size === keys.length, "the first server keeps its keys");
  } finally {
    await server.plugin.shutdown();
  }
}

const aliasPrefix = "alias/SPIRE_SERVER/example_org/";

/** As much of an id as tells it from the others, so that the table fits a terminal. */
const shortId = (id: string): string => `${id.slice(0, 8)}…`;

const shortAlias = (alias: string): string => {
  const [serverId = "", ...keyId] = alias.replace(aliasPrefix, "").split("/");
  return [shortId(serverId), ...keyId].join("/");
};

async function showKeys({ checks, emulator }: Stage): Promise<void> {
  checks.heading("In KMS now");
  const rows = (await keysInKms(emulator)).map(({ aliases, spec, state, keyId, deletionDate }) => [
    aliases.map(shortAlias).join(" ") || "(no alias)",
    spec,
    state,
    shortId(keyId),
    deletionDate,
  ]);
  checks.remark(`aliases: ${aliasPrefix}SERVER_ID/SPIRE_KEY_ID`);
  checks.table([["ALIAS", "KEY SPEC", "STATE", "KEY ID", "DELETION"], ...rows.sort()]);
}

async function play(stage: Stage): Promise<void> {
  const { checks, emulator } = stage;
  checks.heading("The embedded KMS is running");
  checks.remark(emulator.endpoint);
  checks.heading("SPIRE Server starts the plugin from its configuration");
  const folder = await mkdtemp(join(stage.folder, "server-1-"));
  checks.doing("starting the plugin");
  let server = await startIn(stage, folder);
  try {
    const ours = `    plugin_cmd = "${stage.pluginCommand}"\n    plugin_checksum = "${server.checksum}"\n`;
    checks.remark(sampleConfiguration.trim().replace(/^(?= {4}plugin_data)/m, () => ours));
    await server.plugin.ping();
    checks.check(true, `handshake on ${server.plugin.handshake.network} socket, configured for ${trustDomain}`);
    const made = await generateAll(server, checks);
    await sign(server, made, checks);
    await rotate(stage, server, made);
    server = await crash(stage, server, folder);
    await second(stage, server);
    await showKeys(stage);
    const { wasKilled } = await server.plugin.shutdown();
    checks.check(!wasKilled, "the plugin ends by itself when SPIRE asks it to");
  } finally {
    await server.plugin.kill();
  }
}

/** Never resolves. */
const whenAborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });

/** How many headings it has, the one that the command adds at the end among them. */
export const demoSteps = 9;

/** Runs the demonstration; everything it starts has ended when it returns. */
export async function runDemo(options: DemoOptions): Promise<void> {
  options.checks.doing("starting the embedded KMS");
  const folder = await mkdtemp(join(tmpdir(), "spire-aws-kms-demo-"));
  const emulator = await startEmulator();
  const servers = new Set<SpireServer>();
  try {
    await Promise.race([play({ ...options, emulator, folder, servers }), whenAborted(options.signal)]);
  } finally {
    options.checks.pause();
    for (const server of servers) await server.plugin.kill();
    await emulator.close();
    await rm(folder, { recursive: true, force: true });
  }
}
