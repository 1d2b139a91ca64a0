/** Clients from configuration: Region, endpoints, credentials, timeouts. */
import { KMSClient } from "@aws-sdk/client-kms";
import { ResourceGroupsTaggingAPIClient } from "@aws-sdk/client-resource-groups-tagging-api";
import { STSClient } from "@aws-sdk/client-sts";
import type { KeyManagerConfig } from "../key-manager/config.ts";
import type { Clock, IamClient, KmsClient, Logger, StsClient, TaggingClient } from "../key-manager/ports.ts";
import { noTelemetry, type Telemetry } from "../key-manager/telemetry.ts";
import { requirePlainJson } from "./calls/plain-json.ts";
import { profileBundle, profileName } from "./credentials/choice.ts";
import { type ChainContext, type CredentialConfig, credentialChain } from "./credentials/credential-chain.ts";
import { CredentialSource } from "./credentials/credentials.ts";
import { describeChoice } from "./credentials/describe-choice.ts";
import { limitedFiles } from "./credentials/limited-file.ts";
import { showSharedFiles } from "./credentials/sdk-files.ts";
import { type Environment, ensureHome } from "./credentials/shared-files.ts";
import { withholdCredentials, withholdProxy } from "./credentials/withhold-credentials.ts";
import { AwsIamClient, findIam } from "./iam-client.ts";
import { AwsKmsClient } from "./kms-client.ts";
import { NetworkHandler } from "./network/network-handler.ts";
import { ProxyRules } from "./network/proxy-rules.ts";
import { SecureConnector } from "./network/secure-connector.ts";
import { Trust } from "./network/trust.ts";
import { HedgedSigning } from "./sign/hedge.ts";
import { judgingHandler, LeanSignSender } from "./sign/sign-sender.ts";
import { AwsStsClient } from "./sts-client.ts";
import { AwsTaggingClient } from "./tagging-client.ts";
import { OwnTransport, transportBy } from "./transport/own-transport.ts";

const connectionTimeoutMs = 3_000;
/** KMS answers in tens of milliseconds; three attempts must fit into SPIRE's 30 s. */
const requestTimeoutMs = 8_000;

/** For each endpoint. More than signatures ever take (2 × 128), so that slow ones never keep other calls from being sent. */
const maxSockets = 320;
/** The same for signatures on connections of our own: what those take, and a few for second attempts. */
const maxConnections = 272;

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
  >;

export interface AwsClients {
  readonly kms: KmsClient;
  readonly sts: StsClient;
  readonly iam: IamClient;
  readonly tagging: TaggingClient;
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

/** For a client that sends nothing. */
const noCredentials = { accessKeyId: "none", secretAccessKey: "none" };

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
  { telemetry = noTelemetry, log, env = process.env }: ClientContext = {},
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
  const ownTransport = new OwnTransport({ ...limits, maxConnections, rules, connector, otherwise: requestHandler });
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
  const kmsEndpoint = config.endpoint === undefined ? {} : { endpoint: config.endpoint };
  const kms = new KMSClient({ ...options, ...kmsEndpoint, credentials });
  const sts = new STSClient({ ...stsOptions, credentials });
  const tagging = new ResourceGroupsTaggingAPIClient({ ...options, credentials });
  withholdCredentials(kms);
  withholdCredentials(sts);
  withholdCredentials(tagging);
  requirePlainJson(kms);
  requirePlainJson(tagging);
  const isPrivate = async () =>
    config.endpoint !== undefined ||
    config.stsEndpoint !== undefined ||
    (await kms.config.serviceConfiguredEndpoint?.()) !== undefined ||
    (await sts.config.serviceConfiguredEndpoint?.()) !== undefined;
  const caller = { clock, telemetry, discardCredentials: (usedSinceMs: number) => source.discard(usedSinceMs) };
  const makeJudge = () => {
    const judge = new KMSClient({ ...options, requestHandler: judgingHandler, credentials: noCredentials });
    withholdCredentials(judge);
    requirePlainJson(judge);
    return judge;
  };
  const transport = config.signTransport === "sdk" ? transportBy(requestHandler) : ownTransport;
  const signer = new LeanSignSender({ sdk: kms, makeJudge, transport, credentials: source.current });
  const onHedge = () => telemetry.count("signatures_hedged");
  const hedged = new HedgedSigning(signer.send, { clock, onHedge });
  return {
    kms: new AwsKmsClient(kms, caller, config.hedgeSignatures ? hedged.sign : signer.send),
    sts: new AwsStsClient(sts, caller),
    iam: new AwsIamClient(findIam({ ...options, credentials }, isPrivate), caller),
    tagging: new AwsTaggingClient(tagging, caller),
    warm() {
      if (config.signTransport === "sdk") return;
      signer.prepare().then(
        (place) => place !== undefined && ownTransport.warm(place),
        () => undefined,
      );
    },
    close() {
      kms.destroy();
      sts.destroy();
      tagging.destroy();
      ownTransport.destroy();
    },
  };
}
