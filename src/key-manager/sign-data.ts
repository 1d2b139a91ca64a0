/** SignData: one signature by the key that is under an id now. It waits for nothing but KMS. */
import { KeyManagerError, keyManagerError } from "./errors.ts";
import type { KeyEntry } from "./keys/key-entry.ts";
import { whenVisible } from "./pace/visibility.ts";
import { type Cancellation, isKmsError } from "./ports.ts";
import { followAlias } from "./rotation/follow-alias.ts";
import type { Setup } from "./setup.ts";
import { planSignature, type SignerOptions } from "./signing/signing-algorithm.ts";

export interface Signature {
  /** DER ECDSA-Sig-Value, or RSA signature octets. */
  readonly signature: Uint8Array;
  /** Of the key that signed. */
  readonly keyFingerprint: string;
}

/**
 * Signs a digest.
 *
 * @param digest of exactly the length of `options.hashAlgorithm`'s digests
 * @throws KeyManagerError
 */
export async function signData(
  setup: Setup,
  keyId: string,
  digest: Uint8Array,
  options: SignerOptions,
  stop?: AbortSignal | Cancellation,
): Promise<Signature> {
  const { ring, clock } = setup;
  const entry = ring.lookUp(keyId);
  const sign = () => signWith(entry, setup, digest, options, stop);
  try {
    // A key that KMS does not know everywhere yet is asked again: its alias may be shown as it was, and tells nothing.
    return await (ring.isFresh(entry) ? whenVisible(clock, sign, signalOf(stop)) : sign());
  } catch (error) {
    if (!isKmsError(error, "DISABLED", "INVALID_STATE", "NOT_FOUND")) throw signFailure(entry, error);
    // The key is of no use any more: perhaps a replica that shares our identity has rotated it.
    const successor = await followAlias(setup, entry, signalOf(stop)).catch(() => undefined);
    if (successor === undefined) throw signFailure(entry, error);
    return await signWith(successor, setup, digest, options, stop).catch((again: unknown) => {
      throw signFailure(successor, again);
    });
  }
}

const signalOf = (stop: AbortSignal | Cancellation | undefined): AbortSignal | undefined =>
  stop === undefined || stop instanceof AbortSignal ? stop : stop.signal;

async function signWith(
  entry: KeyEntry,
  { kms, failover, config, telemetry, limits, log }: Setup,
  digest: Uint8Array,
  options: SignerOptions,
  stop: AbortSignal | Cancellation | undefined,
): Promise<Signature> {
  const plan = planSignature(entry.keyType, digest, options);
  const input = { keyArn: entry.keyArn, digest: plan.digest, signingAlgorithm: plan.signingAlgorithm };
  const signed = failover.covers(entry.keyArn)
    ? await failover.sign(input, signalOf(stop))
    : { signature: await kms.sign(input, stop instanceof AbortSignal ? { signal: stop } : { cancellation: stop }) };
  const { signature } = signed;
  // What came from another Region is verified whatever is configured: it proves that the key there is the same.
  const isVerified = config.verifySignatures || ("region" in signed && signed.region !== config.region);
  if (isVerified && !entry.verify(plan.signingAlgorithm, plan.digest, signature)) {
    telemetry.count("wrong_signatures");
    limits.run("wrong signature", (more) =>
      log.error("KMS answered with a signature that does not verify under the key's public key: it was not passed on", {
        key_id: entry.keyId,
        key_arn: entry.keyArn,
        signing_algorithm: plan.signingAlgorithm,
        ...more,
      }),
    );
    throw new KeyManagerError(
      "INTERNAL",
      `KMS answered with a signature that does not verify under ${entry.keyArn} (${plan.signingAlgorithm}); it was not passed on. With a KMS emulator that signs other digests than it is given, set verify_signatures = false`,
    );
  }
  return { signature, keyFingerprint: entry.fingerprint };
}

function signFailure({ keyId, keyArn, aliasName }: KeyEntry, error: unknown): KeyManagerError {
  return keyManagerError(`failed to sign with key ${JSON.stringify(keyId)} (${keyArn}, ${aliasName})`, error);
}
