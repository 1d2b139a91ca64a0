/** The clients of one Region, KMS and tagging, on what the clients of all Regions share: credentials and connections. */
import { KMSClient, type KMSClientConfig } from "@aws-sdk/client-kms";
import type { RegionClients } from "../key-manager/ports.ts";
import { requirePlainJson } from "./calls/plain-json.ts";
import type { Caller } from "./calls/retry.ts";
import type { CredentialSource } from "./credentials/credentials.ts";
import { withholdCredentials } from "./credentials/withhold-credentials.ts";
import { AwsKmsClient } from "./kms-client.ts";
import { judgingHandler } from "./lean/judge.ts";
import { kmsSenders } from "./lean/kms-senders.ts";
import { LeanSender } from "./lean/lean-sender.ts";
import { sendingBy } from "./lean/reply.ts";
import type { NetworkHandler } from "./network/network-handler.ts";
import { HedgedSigning } from "./sign/hedge.ts";
import { AwsTaggingClient } from "./tagging-client.ts";
import type { OpenTagging } from "./tagging-sdk.ts";
import { type OwnTransport, transportBy } from "./transport/own-transport.ts";

/** For a client that sends nothing. */
const noCredentials = { accessKeyId: "none", secretAccessKey: "none" };

/** What the clients of all Regions have in common. */
export interface SharedByRegions {
  /** The SDK's options, but for Region and endpoint. */
  readonly options: Omit<KMSClientConfig, "requestHandler"> & { readonly requestHandler: NetworkHandler };
  readonly source: Pick<CredentialSource, "provide" | "current">;
  readonly caller: Caller;
  /** Undefined: signatures go over the SDK's connections. */
  readonly transport: OwnTransport | undefined;
  readonly isHedging: boolean;
}

export interface OpenRegion extends RegionClients {
  readonly sdk: KMSClient;
  /** Gets ready for the first signature; see `AwsClients.warm`. */
  warm(): void;
  close(): void;
}

/** @param endpoint URL of KMS; undefined: the SDK's environment variables, shared configuration, and the Region's own */
export function openRegion(region: string, endpoint: string | undefined, shared: SharedByRegions): OpenRegion {
  const { source, caller, transport, isHedging } = shared;
  const credentials = source.provide;
  const options = { ...shared.options, region };
  const sdk = new KMSClient({ ...options, ...(endpoint === undefined ? {} : { endpoint }), credentials });
  withholdCredentials(sdk);
  requirePlainJson(sdk);
  let tagging: Promise<OpenTagging> | undefined;
  const findTagging = async () => {
    tagging ??= import("./tagging-sdk.ts").then(({ openTagging }) => openTagging({ ...options, credentials }));
    return (await tagging).getResources;
  };
  const makeJudge = () => {
    const judge = new KMSClient({ ...options, requestHandler: judgingHandler, credentials: noCredentials });
    withholdCredentials(judge);
    requirePlainJson(judge);
    return judge;
  };
  const lean = new LeanSender({
    sdk,
    send: sendingBy(sdk),
    makeJudge,
    transport: transport ?? transportBy(options.requestHandler),
    credentials: source.current,
  });
  const onHedge = () => caller.telemetry.count("signatures_hedged");
  const senders = kmsSenders(lean.sending);
  const hedged = new HedgedSigning(senders.sign, { clock: caller.clock, onHedge });
  return {
    sdk,
    kms: new AwsKmsClient(sdk, caller, isHedging ? { ...senders, sign: hedged.sign } : senders),
    tagging: new AwsTaggingClient(findTagging, caller),
    warm() {
      if (transport === undefined) return;
      lean.prepare().then(
        (place) => place !== undefined && transport.warm(place),
        () => undefined,
      );
    },
    close() {
      sdk.destroy();
      void tagging?.then((opened) => opened.close());
    },
  };
}
