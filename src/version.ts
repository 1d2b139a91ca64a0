/** The package's version; the build writes it in. */
// biome-ignore lint/style/useNamingConvention: written as what it is, a word that the build replaces.
declare const SPIRE_AWS_KMS_VERSION: string | undefined;

export const version = typeof SPIRE_AWS_KMS_VERSION === "string" ? SPIRE_AWS_KMS_VERSION : "0.0.0-source";
