/** UpstreamAuthority: the authority above SPIRE Server's own. */
import type { MessageInitShape } from "@bufbuild/protobuf";
import {
  type MintX509CAResponseSchema,
  UpstreamAuthority,
} from "../../gen/spire/plugin/server/upstreamauthority/v1/upstreamauthority_pb.ts";
import type { JWTKey, JWTKeySchema } from "../../gen/spire/plugin/types/jwtkey_pb.ts";
import type { CallContext } from "../../go-plugin/grpc/call-context.ts";
import type { ServiceRegistration } from "../../go-plugin/grpc/grpc-service.ts";
import { StatusError } from "../../go-plugin/grpc/status-error.ts";
import { partialService, required } from "./kind.ts";

/** A certificate in DER, or with what else there is to say of it. */
export type CertificateInit = Uint8Array | { readonly asn1: Uint8Array; readonly tainted?: boolean };

export interface MintRequest {
  /** PKCS #10, DER. */
  readonly csr: Uint8Array;
  /** Seconds; undefined: as the plugin likes. */
  readonly preferredTtl: number | undefined;
}

export interface MintedCa {
  /** The new certificate, then what leads to one of the roots. Needed the first time, and not looked at later. */
  readonly x509CaChain?: readonly CertificateInit[];
  /** All roots, each time. */
  readonly upstreamX509Roots: readonly CertificateInit[];
}

export interface UpstreamAuthorityHandlers {
  /**
   * Signs SPIRE Server's CA. Yields chain and roots, then all roots again whenever they change, until `context.signal` is
   * aborted. One that knows of no changes returns after the first. Do not throw later for what may pass: SPIRE opens the
   * stream again only when it rotates its CA.
   */
  mintX509CAAndSubscribe(request: MintRequest, context: CallContext): AsyncIterable<MintedCa>;
  /** Publishes a key that signs JWT-SVIDs; yields all keys that are trusted, again whenever they change. */
  publishJWTKeyAndSubscribe?(
    jwtKey: JWTKey,
    context: CallContext,
  ): AsyncIterable<readonly MessageInitShape<typeof JWTKeySchema>[]>;
}

export function upstreamAuthority(handlers: UpstreamAuthorityHandlers): ServiceRegistration {
  return partialService(UpstreamAuthority, {
    async *mintX509CAAndSubscribe({ csr, preferredTtl }, context) {
      let isFirst = true;
      const request = { csr, preferredTtl: preferredTtl === 0 ? undefined : preferredTtl };
      for await (const minted of handlers.mintX509CAAndSubscribe(request, context)) {
        yield toResponse(minted, isFirst);
        isFirst = false;
      }
      if (isFirst) throw new StatusError("INTERNAL", "the plugin minted nothing");
    },
    publishJWTKeyAndSubscribe:
      handlers.publishJWTKeyAndSubscribe === undefined
        ? undefined
        : async function* publish({ jwtKey }, context) {
            const updates = handlers.publishJWTKeyAndSubscribe?.(required(jwtKey, "jwt_key"), context) ?? [];
            for await (const keys of updates) yield { upstreamJwtKeys: [...keys] };
          },
  });
}

function toResponse(
  { x509CaChain = [], upstreamX509Roots }: MintedCa,
  isFirst: boolean,
): MessageInitShape<typeof MintX509CAResponseSchema> {
  if (isFirst && x509CaChain.length === 0) throw new StatusError("INTERNAL", "the plugin gave no X.509 CA chain");
  if (upstreamX509Roots.length === 0) throw new StatusError("INTERNAL", "the plugin gave no upstream X.509 roots");
  return {
    x509CaChain: isFirst ? x509CaChain.map(toCertificate) : [],
    upstreamX509Roots: upstreamX509Roots.map(toCertificate),
  };
}

const toCertificate = (given: CertificateInit): { asn1: Uint8Array; tainted: boolean } =>
  given instanceof Uint8Array ? { asn1: given, tainted: false } : { asn1: given.asn1, tainted: given.tainted ?? false };
