import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";

function run(...args: readonly string[]): { status: number | null; output: string } {
  const { status, stdout, stderr, error } = spawnSync("openssl", args, { encoding: "utf8", timeout: 120_000 });
  return { status: error === undefined ? status : null, output: `${stdout}${stderr}` };
}

const version = run("version");

/** Why OpenSSL cannot be asked, or false: the `skip` of a test. */
export const withoutOpenssl =
  version.status === 0 ? false : "openssl is not installed: the same certificates are verified by node:crypto only";

/** Two certificates in files, asked of the `openssl` command. */
export class OpensslChain {
  readonly #caFile: string;
  readonly #leafFile: string;

  constructor(caFile: string, leafFile: string) {
    this.#caFile = caFile;
    this.#leafFile = leafFile;
  }

  static async write(folder: string, name: string, caPem: string, leafPem: string): Promise<OpensslChain> {
    const caFile = join(folder, `${name}-ca.pem`);
    const leafFile = join(folder, `${name}-leaf.pem`);
    await Promise.all([writeFile(caFile, caPem), writeFile(leafFile, leafPem)]);
    return new OpensslChain(caFile, leafFile);
  }

  /** The leaf's chain, the root's own signature included. */
  assertVerifies(): void {
    const args = ["-x509_strict", "-check_ss_sig", "-CAfile", this.#caFile, this.#leafFile];
    const { status, output } = run("verify", ...args);
    assert.equal(status, 0, output);
    assert.match(output, /: OK$/m);
  }

  /** What OpenSSL reads in the leaf. */
  text(): string {
    const { status, output } = run("x509", "-in", this.#leafFile, "-noout", "-text");
    assert.equal(status, 0, output);
    return output;
  }
}
