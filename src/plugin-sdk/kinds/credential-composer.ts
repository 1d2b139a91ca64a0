/** CredentialComposer: changes what SPIRE Server puts into certificates and tokens. */
import { create, type DescMessage, type JsonObject, type Message, type MessageShape } from "@bufbuild/protobuf";
import {
  CredentialComposer,
  type X509CAAttributes,
  X509CAAttributesSchema,
  type X509SVIDAttributes,
  X509SVIDAttributesSchema,
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

/** A subject; fields left out are empty. */
export interface SubjectInit {
  readonly country?: readonly string[];
  readonly organization?: readonly string[];
  readonly organizationalUnit?: readonly string[];
  readonly locality?: readonly string[];
  readonly province?: readonly string[];
  readonly streetAddress?: readonly string[];
  readonly postalCode?: readonly string[];
  readonly serialNumber?: string;
  readonly commonName?: string;
  /** For what has no field here, by object identifier. */
  readonly extraNames?: readonly { readonly oid: string; readonly stringValue: string }[];
}

/** An extension; `value` is DER, which SPIRE does not check. */
export interface ExtensionInit {
  readonly oid: string;
  readonly value: Uint8Array;
  readonly critical?: boolean;
}

export interface X509CaInit {
  readonly subject?: SubjectInit | undefined;
  readonly policyIdentifiers?: readonly string[];
  readonly extraExtensions?: readonly ExtensionInit[];
}

export interface X509SvidInit {
  readonly subject?: SubjectInit | undefined;
  readonly dnsSans?: readonly string[];
  readonly extraExtensions?: readonly ExtensionInit[];
}

/**
 * Each takes what SPIRE would write and returns what it shall write: the same object, changed, or a copy of it, so that
 * fields which are newer than this code survive. `undefined` leaves it as it is, and so does a handler that is left out.
 */
export interface CredentialComposerHandlers {
  composeServerX509CA?(attributes: X509CAAttributes, context: CallContext): MaybePromise<X509CaInit | undefined>;
  composeServerX509SVID?(attributes: X509SVIDAttributes, context: CallContext): MaybePromise<X509SvidInit | undefined>;
  composeAgentX509SVID?(
    attributes: X509SVIDAttributes,
    subject: ComposeSubject,
    context: CallContext,
  ): MaybePromise<X509SvidInit | undefined>;
  composeWorkloadX509SVID?(
    attributes: X509SVIDAttributes,
    subject: ComposeSubject,
    context: CallContext,
  ): MaybePromise<X509SvidInit | undefined>;
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
      (async (request, context) => caAnswer(await composeServerX509CA.call(handlers, attributesOf(request), context))),
    composeServerX509SVID:
      composeServerX509SVID &&
      (async (request, context) =>
        svidAnswer(await composeServerX509SVID.call(handlers, attributesOf(request), context))),
    composeAgentX509SVID:
      composeAgentX509SVID &&
      (async (request, context) =>
        svidAnswer(await composeAgentX509SVID.call(handlers, attributesOf(request), request, context))),
    composeWorkloadX509SVID:
      composeWorkloadX509SVID &&
      (async (request, context) =>
        svidAnswer(await composeWorkloadX509SVID.call(handlers, attributesOf(request), request, context))),
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

const caAnswer = (given: X509CaInit | undefined) =>
  given === undefined ? {} : { attributes: rebuild(X509CAAttributesSchema, given) };

const svidAnswer = (given: X509SvidInit | undefined) =>
  given === undefined ? {} : { attributes: rebuild(X509SVIDAttributesSchema, given) };

/**
 * A message of what may be a message, a copy of one or neither: `create` takes a copy, which has the message's name on it,
 * for the message itself, with all that is plain inside.
 */
function rebuild<Schema extends DescMessage>(schema: Schema, given: object): MessageShape<Schema> {
  const message = create(schema) as Message & Record<string, unknown>;
  const values = given as Readonly<Record<string, unknown>>;
  for (const field of schema.fields) {
    const value = values[field.localName];
    if (value === undefined) continue;
    const one = field.message;
    if (one === undefined) message[field.localName] = Array.isArray(value) ? [...value] : value;
    else
      message[field.localName] = Array.isArray(value)
        ? value.map((item) => rebuild(one, item))
        : rebuild(one, value as object);
  }
  if (values.$unknown !== undefined) message.$unknown = values.$unknown as NonNullable<Message["$unknown"]>;
  return message as MessageShape<Schema>;
}
