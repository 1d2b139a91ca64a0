/** Clients from configuration: Region, endpoints, credentials, timeouts. */
import type { KMSClient } from "@aws-sdk/client-kms";
import { STSClient } from "@aws-sdk/client-sts";
import type { KeyManagerConfig } from "../key-manager/config.ts";
import type {
  Clock,
  IamClient,
  KmsClient,
  Logger,
  RegionClients,
  StsClient,
  TaggingClient,
} from "../key-manager/ports.ts";
import { noTelemetry, type Telemetry } from "../key-manager/telemetry.ts";
import type { Caller } from "./calls/retry.ts";
import { profileBundle, profileName } from "./credentials/choice.ts";
import { type ChainContext, type CredentialConfig, credentialChain } from "./credentials/credential-chain.ts";
import { CredentialSource } from "./credentials/credentials.ts";
import { describeChoice } from "./credentials/describe-choice.ts";
import { limitedFiles } from "./credentials/limited-file.ts";
import { showSharedFiles } from "./credentials/sdk-files.ts";
import { type Environment, ensureHome } from "./credentials/shared-files.ts";
import { withholdCredentials, withholdProxy } from "./credentials/withhold-credentials.ts";
import { AwsIamClient, findIam } from "./iam-client.ts";
import { NetworkHandler } from "./network/network-handler.ts";
import { ProxyRules } from "./network/proxy-rules.ts";
import { SecureConnector } from "./network/secure-connector.ts";
import { Trust } from "./network/trust.ts";
import { type OpenRegion, openRegion } from "./region-clients.ts";
import { AwsStsClient } from "./sts-client.ts";
import { OwnTransport } from "./transport/own-transport.ts";

const connectionTimeoutMs = 3_000;
/** KMS answers in tens of milliseconds; three attempts must fit into SPIRE's 30 s. */
const requestTimeoutMs = 8_000;

/**
 * For each endpoint, of the SDK's connections as of our own. More than signatures ever take (2 × 128, and a few for second
 * attempts), so that slow ones never keep other calls from being sent.
 */
const maxSockets = 320;

/** The part of the configuration that clients are made from. */
export type ClientConfig = CredentialConfig &
  Pick<
    KeyManagerConfig,
    | "region"
    | "endpoint"
    | "stsEndpoint"
    | "useFipsEndpoint"
    | "useDualstackEndpoint"
    | "signTransport"
    | "hedgeSignatures"
  > &
  Partial<Pick<KeyManagerConfig, "multiRegion">>;

export interface AwsClients {
  readonly kms: KmsClient;
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly tagging: TaggingClient;
  /** Clients of another Region, with the same credentials; made once for each. */
  inRegion(region: string): RegionClients;
  /** Gets ready for the first signature, in the background: asks for nothing, and a failure changes nothing. */
  warm(): void;
  /** Closes idle connections; calls under way end first. */
  close(): void;
}

/** What clients are made with, beside the configuration. */
export interface ClientContext {
  readonly telemetry?: Telemetry;
  readonly log?: Pick<Logger, "debug" | "info" | "warn">;
  /** For credentials; the SDK itself looks at the process's own. */
  readonly env?: Environment;
  /** Told what calls of KMS are made with, for commands that ask more than a plugin. */
  readonly onKms?: (sdk: KMSClient, caller: Caller) => void;
}

/** Tells of each choice of credentials once, until there is another. */
function tellChoices(log: ClientContext["log"]): NonNullable<ChainContext["onChoice"]> {
  let latest: string | undefined;
  return (choice, change) => {
    const source = describeChoice(choice);
    if (source === latest) return;
    latest = source;
    log?.debug("AWS credentials are taken from this source", { source });
    if (change !== undefined) log?.warn(change, { source });
  };
}

/** The SDK would print its remarks to the console, which belongs to the handshake and to log lines. */
const silent = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };

/**
 * Makes the clients of one configuration. No connection is opened yet.
 *
 * Without `credentials` the SDK's default chain applies (environment, shared files, web identity, ECS, EC2); without
 * `endpoint` its endpoint variables (`AWS_ENDPOINT_URL_KMS`, `AWS_ENDPOINT_URL`) and shared configuration.
 */
export function createAwsClients(
  config: ClientConfig,
  clock: Clock,
  userAgent: readonly [string, string],
  { telemetry = noTelemetry, log, env = process.env, onKms }: ClientContext = {},
): AwsClients {
  ensureHome();
  const rules = new ProxyRules(env);
  for (const { authorization } of rules.proxies) withholdProxy(authorization);
  const readText = limitedFiles();
  showSharedFiles(env, readText);
  const trust = new Trust({ env, readText, profileBundle: () => profileBundle(env, readText, config.profile) });
  const connector = new SecureConnector(rules, trust);
  const limits = { connectionTimeout: connectionTimeoutMs, requestTimeout: requestTimeoutMs };
  const requestHandler = new NetworkHandler({ ...limits, maxSockets, logger: silent, rules, connector });
  const ownTransport = new OwnTransport({
    ...limits,
    maxConnections: maxSockets,
    rules,
    connector,
    otherwise: requestHandler,
  });
  const options = {
    region: config.region,
    requestHandler,
    maxAttempts: 1,
    logger: silent,
    customUserAgent: [[...userAgent] as [string, string]],
    profile: profileName(env, config.profile),
    ...(config.useFipsEndpoint === undefined ? {} : { useFipsEndpoint: config.useFipsEndpoint }),
    ...(config.useDualstackEndpoint === undefined ? {} : { useDualstackEndpoint: config.useDualstackEndpoint }),
  };
  const stsOptions = { ...options, ...(config.stsEndpoint === undefined ? {} : { endpoint: config.stsEndpoint }) };
  const onChoice = tellChoices(log);
  const source = new CredentialSource({
    makeFetch: () => credentialChain(config, { sts: stsOptions, env, readText, onChoice }),
    clock,
    telemetry,
    ...(log === undefined ? {} : { log }),
  });
  const credentials = source.provide;
  const sts = new STSClient({ ...stsOptions, credentials });
  withholdCredentials(sts);
  const caller = { clock, telemetry, discardCredentials: (usedSinceMs: number) => source.discard(usedSinceMs) };
  const transport = config.signTransport === "sdk" ? undefined : ownTransport;
  const shared = { options, source, caller, transport, isHedging: config.hedgeSignatures };
  const home = openRegion(config.region, config.endpoint, shared);
  const others = new Map<string, OpenRegion>();
  const inRegion = (region: string): OpenRegion => {
    if (region === config.region) return home;
    const endpoint = config.multiRegion?.endpoints.get(region) ?? config.endpoint;
    const opened = others.get(region) ?? openRegion(region, endpoint, shared);
    others.set(region, opened);
    return opened;
  };
  const isPrivate = async () =>
    config.endpoint !== undefined ||
    config.stsEndpoint !== undefined ||
    (await home.sdk.config.serviceConfiguredEndpoint?.()) !== undefined ||
    (await sts.config.serviceConfiguredEndpoint?.()) !== undefined;
  onKms?.(home.sdk, caller);
  return {
    kms: home.kms,
    sts: new AwsStsClient(sts, caller),
    iam: new AwsIamClient(findIam({ ...options, credentials }, isPrivate), caller),
    tagging: home.tagging,
    inRegion,
    warm() {
      home.warm();
      for (const region of config.multiRegion?.failoverRegions ?? []) inRegion(region).warm();
    },
    close() {
      for (const region of [home, ...others.values()]) region.close();
      sts.destroy();
      ownTransport.destroy();
    },
  };
}
