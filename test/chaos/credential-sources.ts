/** Every source of credentials on this machine, each of which can be made to hang, to refuse, to be late or to talk nonsense. */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { BoundedHttpHandler } from "../../src/aws/calls/bounded-handler.ts";
import { credentialChain } from "../../src/aws/credentials/credential-chain.ts";
import { CredentialSource } from "../../src/aws/credentials/credentials.ts";
import { limitedFiles } from "../../src/aws/credentials/limited-file.ts";
import type { Clock } from "../../src/key-manager/ports.ts";

export type Trouble = "hang" | "error" | "late" | "wrong";
type Mode = Trouble | "ok";

export const sourceNames = [
  "shared credentials file",
  "credential_process",
  "web identity",
  "role of a profile",
  "SSO session",
  "container endpoint",
  "token file of the container endpoint",
  "EC2 instance metadata",
] as const;
export type SourceName = (typeof sourceNames)[number];

const secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const startMs = Date.parse("2026-06-01T12:00:00Z");
/** Soon enough to be renewed at the next request, late enough to be good until then. */
const expiration = new Date(startMs + 4 * 60_000).toISOString();
const lateMs = 100;

const json = (tokenName: string) =>
  JSON.stringify({
    Version: 1,
    Code: "Success",
    AccessKeyId: "ASIATEST",
    SecretAccessKey: secret,
    [tokenName]: "token/of+the=session",
    Expiration: expiration,
  });

const stsAnswer = (operation: string) =>
  `<${operation}Response><${operation}Result><Credentials><AccessKeyId>ASIATEST</AccessKeyId><SecretAccessKey>${secret}</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${expiration}</Expiration></Credentials></${operation}Result></${operation}Response>`;

const stsRefusal =
  "<ErrorResponse><Error><Code>ServiceUnavailable</Code><Message>not now</Message></Error></ErrorResponse>";

const ssoAnswer = JSON.stringify({
  roleCredentials: {
    accessKeyId: "ASIATEST",
    secretAccessKey: secret,
    sessionToken: "t",
    expiration: Date.parse(expiration),
  },
});

function answerFor(path: string, body: string): string {
  if (path.endsWith("/api/token")) return "metadata-token";
  if (path.endsWith("/security-credentials/")) return "server-role";
  if (path.startsWith("/federation/credentials")) return ssoAnswer;
  if (/Action=(\w+)/.test(body)) return stsAnswer(/Action=(\w+)/.exec(body)?.[1] ?? "");
  return json("Token");
}

/** One place where credentials come from, and a source that asks there. */
export class SourceStage {
  readonly log: string[] = [];
  counted = 0;
  #mode: Mode = "ok";
  readonly #folder = mkdtempSync(join(tmpdir(), "credential-sources-"));
  readonly #timers = new Set<{ readonly ms: number; readonly fire: () => void }>();
  readonly #hungReads: (() => void)[] = [];
  readonly #held = new Set<ServerResponse>();
  /** Requests, reads and processes that have been begun. */
  #reached = 0;
  #nowMs = startMs;
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      this.#reached++;
      this.#answer(answerFor(request.url ?? "", Buffer.concat(chunks).toString()), response);
    });
  });
  readonly #name: SourceName;

  /** @param name of the one source that there is */
  constructor(name: SourceName) {
    this.#name = name;
  }

  static async start(name: SourceName): Promise<SourceStage> {
    const stage = new SourceStage(name);
    await new Promise<void>((resolve) => stage.#server.listen(0, "127.0.0.1", resolve));
    stage.#writeFiles();
    return stage;
  }

  become(mode: Mode): void {
    this.#mode = mode;
    this.#reached = 0;
    // Long enough for a renewal to be tried again.
    this.#nowMs += 10_000;
    for (const end of this.#hungReads.splice(0)) end();
    rmSync(join(this.#folder, "started"), { force: true });
    writeFileSync(join(this.#folder, "mode"), mode);
    if (this.#name === "shared credentials file") this.#writeKeys();
  }

  /** A source as clients have it. */
  source(): CredentialSource {
    const clock: Clock = {
      now: () => new Date(this.#nowMs),
      elapsedMs: () => this.#nowMs,
      sleep: async () => undefined,
      random: () => 0,
    };
    const startTimer = (ms: number, fire: () => void) => {
      const timer = { ms, fire };
      this.#timers.add(timer);
      return () => void this.#timers.delete(timer);
    };
    const requestHandler = new BoundedHttpHandler({ requestTimeout: 60_000, throwOnRequestTimeout: true });
    const logger = { trace() {}, debug() {}, info() {}, warn() {}, error() {} };
    const sts = { region: "us-east-2", endpoint: this.#url, requestHandler, maxAttempts: 1, logger };
    const context = { sts, env: this.environment, startTimer, readText: limitedFiles(startTimer, this.#readText) };
    const note = (message: string, fields?: object) => this.log.push(`${message} ${JSON.stringify(fields)}`);
    return new CredentialSource({
      makeFetch: () => credentialChain({ credentials: undefined, profile: undefined, assumeRole: undefined }, context),
      clock,
      startTimer,
      log: { info: note, warn: note },
      telemetry: { count: () => void this.counted++ },
    });
  }

  /** What comes of something that waits for the source: time limits run out as soon as the source has been reached. */
  async outcome(ask: Promise<unknown>): Promise<string> {
    let told: string | undefined;
    ask.then(
      () => {
        told = "credentials";
      },
      (error) => {
        told = `${error.code}: ${error.message}`;
      },
    );
    while (told === undefined) {
      await turn();
      if (this.#mode === "hang" && this.#isReached) this.#passTime();
    }
    return told.replaceAll(this.#folder, "/folder").replaceAll(this.#url, "http://127.0.0.1:1");
  }

  /** Waits for so many fetches to have failed. */
  async failures(count: number): Promise<void> {
    const wait = async () => {
      while (this.counted < count) await turn();
    };
    await this.outcome(wait());
  }

  get #isReached(): boolean {
    return this.#reached > 0 || existsSync(join(this.#folder, "started"));
  }

  /** The shortest limit runs out first. */
  #passTime(): void {
    const [first] = [...this.#timers].sort((a, b) => a.ms - b.ms);
    first?.fire();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** The SDK's SSO client looks at the process's own. */
  get environment(): Readonly<Record<string, string>> {
    const path = (name: string) => join(this.#folder, name);
    const files = { AWS_CONFIG_FILE: path("config"), AWS_SHARED_CREDENTIALS_FILE: path("credentials") };
    const all = { HOME: this.#folder, PATH: process.env.PATH ?? "", AWS_ENDPOINT_URL_SSO: this.#url, ...files };
    const container = { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${this.#url}/v1/credentials` };
    switch (this.#name) {
      case "web identity":
        return { ...all, AWS_WEB_IDENTITY_TOKEN_FILE: path("token"), AWS_ROLE_ARN: "arn:aws:iam::111122223333:role/w" };
      case "container endpoint":
        return { ...all, ...container };
      case "token file of the container endpoint":
        return { ...all, ...container, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: path("token") };
      case "EC2 instance metadata":
        return { ...all, AWS_EC2_METADATA_SERVICE_ENDPOINT: this.#url };
      default:
        return all;
    }
  }

  #writeFiles(): void {
    const write = (name: string, text: string) => writeFileSync(join(this.#folder, name), text);
    const keys = "aws_access_key_id = AKIATEST\naws_secret_access_key = s";
    const role = "role_arn = arn:aws:iam::111122223333:role/r\nsource_profile = base";
    const script = `case $(cat ${this.#folder}/mode) in hang) : > ${this.#folder}/started; exec sleep 1000;; error) echo "no ticket" >&2; exit 3;; late) sleep 0.1;; wrong) echo hello; exit 0;; esac; cat ${this.#folder}/answer`;
    const sso =
      "sso_account_id = 1\nsso_role_name = r\nsso_region = us-east-2\nsso_start_url = https://example.awsapps.com/start";
    write("token", "eyJhbGciOiJub25lIn0.e30.");
    write("answer", json("SessionToken"));
    write("process", script);
    const profiles: Partial<Record<SourceName, string>> = {
      credential_process: `[default]\ncredential_process = sh ${join(this.#folder, "process")}`,
      "role of a profile": `[default]\n${role}\n[profile base]\n${keys}`,
      "SSO session": `[default]\n${sso}`,
    };
    write("config", profiles[this.#name] ?? "");
    const cache = join(this.#folder, ".aws/sso/cache");
    mkdirSync(cache, { recursive: true });
    const id = createHash("sha1").update("https://example.awsapps.com/start").digest("hex");
    const token = { accessToken: "sso-token", expiresAt: "2099-01-01T00:00:00Z" };
    writeFileSync(join(cache, `${id}.json`), JSON.stringify(token));
    this.become("ok");
  }

  #writeKeys(): void {
    const values = this.#mode === "wrong" ? `${secret}\u00e9` : secret;
    const text = `[default]\naws_access_key_id = AKIATEST\naws_secret_access_key = ${values}\n`;
    writeFileSync(join(this.#folder, "credentials"), text);
  }

  /** Files as they are read, with the trouble that is on. */
  readonly #readText = async (path: string): Promise<string> => {
    // At once, so that of all time limits only those of what hangs are there to run out.
    const readFile = (file: string, encoding: "utf8") => readFileSync(file, encoding);
    const isTrouble =
      (this.#name === "shared credentials file" && path.endsWith("/credentials")) ||
      (this.#name === "token file of the container endpoint" && path.endsWith("/token"));
    if (!isTrouble) return readFile(path, "utf8");
    this.#reached++;
    switch (this.#mode) {
      case "hang":
        // A dead mount's reads come to their end when it lives again.
        await new Promise<void>((resolve) => this.#hungReads.push(resolve));
        return readFile(path, "utf8");
      case "error":
        throw Object.assign(new Error(`EIO: i/o error, read ${path}`), { code: "EIO" });
      case "late":
        await new Promise((resolve) => setTimeout(resolve, lateMs));
        return readFile(path, "utf8");
      case "wrong":
        return path.endsWith("/token") ? "a\nb" : readFile(path, "utf8");
      default:
        return readFile(path, "utf8");
    }
  };

  #answer(text: string, response: ServerResponse): void {
    const isFileTrouble = this.#name === "token file of the container endpoint";
    switch (isFileTrouble ? "ok" : this.#mode) {
      case "hang":
        this.#held.add(response);
        return;
      case "error":
        response.writeHead(503).end(text.startsWith("<") ? stsRefusal : '{"code":"Down","message":"not now"}');
        return;
      case "late":
        setTimeout(() => response.end(text), lateMs);
        return;
      case "wrong":
        response.end("<html>a captive portal</html>");
        return;
      default:
        response.end(text);
    }
  }
}
