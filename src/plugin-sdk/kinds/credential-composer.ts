/** CredentialComposer: changes what SPIRE Server puts into certificates and tokens. */
import type { JsonObject, MessageInitShape } from "@bufbuild/protobuf";
import {
  CredentialComposer,
  type X509CAAttributes,
  type X509CAAttributesSchema,
  type X509SVIDAttributes,
  type X509SVIDAttributesSchema,
} from "../../gen/spire/plugin/server/credentialcomposer/v1/credentialcomposer_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import type { ServiceRegistration } from "../../go-plugin/grpc/grpc-service.ts";
import { type MaybePromise, partialService, required } from "./kind.ts";

/** Whose certificate it is going to be. */
export interface ComposeSubject {
  readonly spiffeId: string;
  /** SubjectPublicKeyInfo, DER. */
  readonly publicKey: Uint8Array;
}

type X509Ca = MessageInitShape<typeof X509CAAttributesSchema>;
type X509Svid = MessageInitShape<typeof X509SVIDAttributesSchema>;

/**
 * Each takes what SPIRE would write and returns what it shall write: the same object, changed, so that fields which are
 * newer than this code survive. `undefined` leaves it as it is, and so does a handler that is left out.
 */
export interface CredentialComposerHandlers {
  composeServerX509CA?(attributes: X509CAAttributes, context: CallContext): MaybePromise<X509Ca | undefined>;
  composeServerX509SVID?(attributes: X509SVIDAttributes, context: CallContext): MaybePromise<X509Svid | undefined>;
  composeAgentX509SVID?(
    attributes: X509SVIDAttributes,
    subject: ComposeSubject,
    context: CallContext,
  ): MaybePromise<X509Svid | undefined>;
  composeWorkloadX509SVID?(
    attributes: X509SVIDAttributes,
    subject: ComposeSubject,
    context: CallContext,
  ): MaybePromise<X509Svid | undefined>;
  /** @returns all claims; `sub` stays what it is */
  composeWorkloadJWTSVID?(
    claims: JsonObject,
    subject: Pick<ComposeSubject, "spiffeId">,
    context: CallContext,
  ): MaybePromise<JsonObject | undefined>;
}

export function credentialComposer(handlers: CredentialComposerHandlers): ServiceRegistration {
  const { composeServerX509CA, composeServerX509SVID, composeAgentX509SVID } = handlers;
  const { composeWorkloadX509SVID, composeWorkloadJWTSVID } = handlers;
  return partialService(CredentialComposer, {
    composeServerX509CA:
      composeServerX509CA &&
      (async (request, context) => answer(await composeServerX509CA.call(handlers, attributesOf(request), context))),
    composeServerX509SVID:
      composeServerX509SVID &&
      (async (request, context) => answer(await composeServerX509SVID.call(handlers, attributesOf(request), context))),
    composeAgentX509SVID:
      composeAgentX509SVID &&
      (async (request, context) =>
        answer(await composeAgentX509SVID.call(handlers, attributesOf(request), request, context))),
    composeWorkloadX509SVID:
      composeWorkloadX509SVID &&
      (async (request, context) =>
        answer(await composeWorkloadX509SVID.call(handlers, attributesOf(request), request, context))),
    composeWorkloadJWTSVID:
      composeWorkloadJWTSVID &&
      (async (request, context) => {
        const { claims = {} } = attributesOf(request);
        const composed = await composeWorkloadJWTSVID.call(handlers, claims, request, context);
        return composed === undefined ? {} : { attributes: { claims: composed } };
      }),
  });
}

const attributesOf = <T>({ attributes }: { readonly attributes?: T | undefined }): T =>
  required(attributes, "attributes");

const answer = <T>(attributes: T | undefined): { attributes?: T } => (attributes === undefined ? {} : { attributes });
