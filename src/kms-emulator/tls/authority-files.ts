/** Where the authority is kept: in a folder of the user's, or in a temporary one for as long as the emulator runs. */
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EmulatorError } from "../errors.ts";
import { type Authority, createAuthority } from "./authority.ts";

/** An authority whose certificate lies in a file. */
export interface KeptAuthority {
  readonly authority: Authority;
  /** The certificate, for clients to trust. */
  readonly caFile: string;
  /** Removes what was temporary. */
  release(): void;
}

const caName = "ca.pem";
const keyName = "ca-key.pem";

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw new EmulatorError("TLS_FOLDER", `tls: cannot read ${path}: ${(cause as Error).message}`, { cause });
  }
}

const whatToDo = "remove both files, and the emulator makes a new authority that its clients must trust anew";

/** The authority that an earlier start left. Throws if what is there is none, or is one no longer. */
function parse(folder: string, certificatePem: string, keyPem: string, nowMs: number): Authority {
  const bad = (reason: string, cause?: unknown) =>
    new EmulatorError("TLS_FOLDER", `tls: ${folder}: ${reason}; ${whatToDo}`, { cause });
  let certificate: X509Certificate;
  let privateKey: Authority["privateKey"];
  try {
    certificate = new X509Certificate(certificatePem);
    privateKey = createPrivateKey(keyPem);
  } catch (cause) {
    throw bad(`${caName} and ${keyName} are not a certificate and a key in PEM form`, cause);
  }
  if (!certificate.checkPrivateKey(privateKey)) throw bad(`${keyName} is not the key of ${caName}`);
  if (!certificate.ca || privateKey.asymmetricKeyDetails?.namedCurve !== "prime256v1") {
    throw bad(`${caName} is not an authority that this emulator has made`);
  }
  if (Date.parse(certificate.validTo) <= nowMs) throw bad(`${caName} was good until ${certificate.validTo}`);
  const commonName = /^CN=(.+)$/m.exec(certificate.subject)?.[1] ?? "";
  return { commonName, certificatePem, privateKey };
}

/** Whole or not at all: another process may read it at any time. */
function write(path: string, text: string, mode: number): void {
  const temporary = `${path}.${process.pid}.new`;
  writeFileSync(temporary, text, { mode });
  renameSync(temporary, path);
}

async function authorityIn(folder: string, nowMs: number): Promise<Authority> {
  const certificatePem = read(join(folder, caName));
  const keyPem = read(join(folder, keyName));
  if (certificatePem !== undefined && keyPem !== undefined) return parse(folder, certificatePem, keyPem, nowMs);
  if (certificatePem !== undefined || keyPem !== undefined) {
    const [there, missing] = keyPem === undefined ? [caName, keyName] : [keyName, caName];
    throw new EmulatorError("TLS_FOLDER", `tls: ${folder} has ${there} but no ${missing}; ${whatToDo}`);
  }
  const authority = await createAuthority(nowMs);
  try {
    mkdirSync(folder, { recursive: true });
    write(join(folder, keyName), authority.privateKey.export({ type: "pkcs8", format: "pem" }).toString(), 0o600);
    write(join(folder, caName), authority.certificatePem, 0o644);
  } catch (cause) {
    throw new EmulatorError("TLS_FOLDER", `tls: cannot write to ${folder}: ${(cause as Error).message}`, { cause });
  }
  return authority;
}

/** Only the certificate is written: the key ends with the process. */
async function temporaryAuthority(nowMs: number): Promise<KeptAuthority> {
  const authority = await createAuthority(nowMs);
  try {
    const folder = mkdtempSync(join(tmpdir(), "aws-kms-emulator-"));
    const caFile = join(folder, caName);
    writeFileSync(caFile, authority.certificatePem);
    return { authority, caFile, release: () => rmSync(folder, { recursive: true, force: true }) };
  } catch (cause) {
    const reason = `tls: the authority's certificate cannot be written: ${(cause as Error).message}; name a folder for it`;
    throw new EmulatorError("TLS_FOLDER", reason, { cause });
  }
}

/** Throws EmulatorError TLS_FOLDER. */
export async function keepAuthority(folder: string | undefined, nowMs: number): Promise<KeptAuthority> {
  if (folder === undefined) return temporaryAuthority(nowMs);
  const authority = await authorityIn(folder, nowMs);
  return { authority, caFile: join(folder, caName), release: () => {} };
}
