/**
 * Which certificate authorities are trusted: those that the environment or the profile names, in place of all others, as with
 * the built-in plugin; or else Node's own and this machine's.
 */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { createSecureContext, rootCertificates, type SecureContext } from "node:tls";
import { KmsError } from "../../key-manager/ports.ts";

export type ReadText = (path: string) => Promise<string>;
type Environment = Readonly<Record<string, string | undefined>>;

/** Where Go looks for this machine's, the first that is there. */
const systemFiles = [
  "/etc/ssl/certs/ca-certificates.crt",
  "/etc/pki/tls/certs/ca-bundle.crt",
  "/etc/ssl/ca-bundle.pem",
  "/etc/pki/tls/cacert.pem",
  "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
  "/etc/ssl/cert.pem",
];

function refused(place: string, reason: string): KmsError {
  const details = { code: "INVALID_REQUEST", operation: "TLS", awsName: "CertificateAuthorities" } as const;
  return new KmsError(`${place}: ${reason}`, { ...details, outcomeUnknown: false });
}

const certificatesOf = (text: string): readonly string[] =>
  text.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];

async function bundle(place: string, path: string, readText: ReadText): Promise<readonly string[]> {
  let text: string;
  try {
    text = await readText(path);
  } catch (error) {
    throw refused(place, `cannot read ${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
  const found = certificatesOf(text);
  if (found.length === 0) throw refused(place, `${path} holds no certificate in PEM form`);
  return found;
}

async function folder(path: string, readText: ReadText): Promise<readonly string[]> {
  const names = await readdir(path).catch(() => []);
  const texts = await Promise.all(names.map((name) => readText(join(path, name)).catch(() => "")));
  return texts.flatMap(certificatesOf);
}

/** One text for each certificate, however its lines are broken. */
const bare = (certificate: string): string => certificate.replace(/\s/g, "");

async function systemAuthorities(env: Environment, readText: ReadText): Promise<readonly string[]> {
  const known = new Set(rootCertificates.map(bare));
  const ofNode = env.NODE_EXTRA_CA_CERTS ? await readText(env.NODE_EXTRA_CA_CERTS).catch(() => "") : "";
  let ofSystem = "";
  for (const path of systemFiles) {
    ofSystem = await readText(path).catch(() => "");
    if (ofSystem !== "") break;
  }
  return certificatesOf(`${ofNode}\n${ofSystem}`).filter((certificate) => !known.has(bare(certificate)));
}

/**
 * @param profileBundle the profile's `ca_bundle`
 * @returns undefined for Node's own choice
 */
async function authorities(
  env: Environment,
  profileBundle: string | undefined,
  readText: ReadText,
): Promise<readonly string[] | undefined> {
  if (env.AWS_CA_BUNDLE) return bundle("AWS_CA_BUNDLE", env.AWS_CA_BUNDLE, readText);
  if (profileBundle) return bundle("ca_bundle of the profile", profileBundle, readText);
  if (env.SSL_CERT_FILE || env.SSL_CERT_DIR) {
    const ofFile = env.SSL_CERT_FILE ? await bundle("SSL_CERT_FILE", env.SSL_CERT_FILE, readText) : [];
    const folders = (env.SSL_CERT_DIR ?? "").split(":").filter(Boolean);
    const ofFolders = (await Promise.all(folders.map((path) => folder(path, readText)))).flat();
    if (ofFile.length + ofFolders.length > 0) return [...ofFile, ...ofFolders];
    throw refused("SSL_CERT_DIR", `${env.SSL_CERT_DIR} holds no certificate in PEM form`);
  }
  const added = await systemAuthorities(env, readText);
  return added.length === 0 ? undefined : [...rootCertificates, ...added];
}

export interface TrustOptions {
  readonly env: Environment;
  readonly readText: ReadText;
  readonly profileBundle: () => Promise<string | undefined>;
}

/** Made at the first connection, and again if that failed: a context costs more than a connection. */
export class Trust {
  readonly #options: TrustOptions;
  #context: Promise<SecureContext | undefined> | undefined;

  constructor(options: TrustOptions) {
    this.#options = options;
  }

  /** For all connections of a configuration; undefined for Node's own. */
  context(): Promise<SecureContext | undefined> {
    this.#context ??= this.#make().catch((error) => {
      this.#context = undefined;
      throw error;
    });
    return this.#context;
  }

  async #make(): Promise<SecureContext | undefined> {
    const { env, readText, profileBundle } = this.#options;
    const ca = await authorities(env, await profileBundle(), readText);
    if (ca === undefined) return undefined;
    try {
      return createSecureContext({ ca: [...ca] });
    } catch (error) {
      throw refused("the certificate authorities", error instanceof Error ? error.message : String(error));
    }
  }
}
