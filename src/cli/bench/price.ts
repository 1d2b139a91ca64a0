/** What a run costs: AWS KMS's list prices of asymmetric requests, in US dollars. */
import type { KeySpec } from "../../key-manager/ports.ts";

/** us-east-1; other Regions are about the same. */
const per10000: Readonly<Record<string, number>> = { RSA_2048: 0.03 };
const others = 0.15;

export const priceUsd = (keySpec: KeySpec, signatures: number): number =>
  ((per10000[keySpec] ?? others) * signatures) / 10_000;

export const priceText = (usd: number): string =>
  usd < 0.01 ? `$${usd.toFixed(4)}, less than a cent` : `$${usd.toFixed(2)}`;
