/**
 * Ways of getting credentials: those of the configuration, those that the environment and the shared files lead to, a role
 * assumed with either. Each way has its time limit.
 */
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  AssumeRoleWithWebIdentityCommand,
  STSClient,
  type STSClientConfig,
} from "@aws-sdk/client-sts";
import type { KeyManagerConfig } from "../../key-manager/config.ts";
import { Answer } from "../calls/answer.ts";
import { credentialsErrorFrom, isClockSkewCorrected } from "../calls/aws-error.ts";
import { type Choice, chooseCredentials, type Origin, type RoleStep } from "./choice.ts";
import type { Credentials, FetchCredentials } from "./credentials.ts";
import { identityChange } from "./former-choice.ts";
import { limitedFiles, type ReadText } from "./limited-file.ts";
import { checkPlain, environmentCredentials, profileKeys } from "./plain-credentials.ts";
import { type Environment, readSharedFiles } from "./shared-files.ts";
import { sourceTimeout } from "./source-error.ts";
import { containerCredentials, containerName } from "./sources/container.ts";
import { instanceCredentials } from "./sources/instance.ts";
import { processCredentials, processName } from "./sources/process.ts";
import { loginCredentials, ssoCredentials } from "./sources/sign-in.ts";
import { whereNothingIsFound, whereProfileIsMissing } from "./sources-tried.ts";
import { type StartTimer, within } from "./time-limit.ts";
import { withholdCredentials, withholdToken } from "./withhold-credentials.ts";

export type CredentialConfig = Pick<KeyManagerConfig, "credentials" | "profile" | "assumeRole">;

/** How long sources may take, in milliseconds. */
export interface SourceLimits {
  /** A command, as in the Go SDK: it may ask elsewhere. */
  readonly processMs: number;
  /** A call of STS and its repetition; one request has the HTTP handler's limit. */
  readonly stsMs: number;
  /** A sign-in asks up to three services. */
  readonly signInMs: number;
  /** An endpoint of the container or the machine, all requests together. */
  readonly endpointMs: number;
  /** One request to it. */
  readonly containerRequestMs: number;
  readonly instanceRequestMs: number;
}

export const sourceLimits: SourceLimits = {
  processMs: 60_000,
  stsMs: 20_000,
  signInMs: 25_000,
  endpointMs: 10_000,
  containerRequestMs: 3_000,
  instanceRequestMs: 1_000,
};

export interface ChainContext {
  /** Region, endpoint and handler for STS. */
  readonly sts: STSClientConfig;
  readonly env: Environment;
  readonly limits?: SourceLimits;
  readonly readText?: ReadText;
  readonly startTimer?: StartTimer;
  /**
   * Told what was chosen, before it is asked.
   *
   * @param change what to tell an operator whose identity an upgrade has changed
   */
  readonly onChoice?: (choice: Choice, change: string | undefined) => void;
}

/** STS's default, and the most a chained role may have. */
const sessionSeconds = 3600;
const defaultSessionName = "spire-server";

function credentialsFrom(operation: string, output: unknown): Credentials {
  const answer = new Answer(operation, output).object("Credentials");
  const expiration = answer.optionalDate("Expiration");
  return {
    accessKeyId: answer.text("AccessKeyId"),
    secretAccessKey: answer.text("SecretAccessKey"),
    sessionToken: answer.text("SessionToken"),
    ...(expiration === undefined ? {} : { expiration }),
  };
}

/** Calls STS, whose failures are told under the operation's own name. */
async function askSts(operation: string, ask: () => Promise<object>): Promise<Credentials> {
  const attempt = async (isLast: boolean): Promise<Credentials> => {
    try {
      return credentialsFrom(operation, await ask());
    } catch (error) {
      // The client has learnt STS's time from the refusal, and forgets it with the chain it belongs to.
      if (!isLast && isClockSkewCorrected(error)) return attempt(true);
      throw credentialsErrorFrom(operation, error);
    }
  };
  return attempt(false);
}

/** One call of STS, within a time limit; the base's own time does not count. */
function assume(base: FetchCredentials, input: AssumeRoleCommandInput, context: ChainContext): FetchCredentials {
  return async (options) => {
    const sts = new STSClient({ ...context.sts, credentials: await base(options) });
    withholdCredentials(sts);
    return withinSts(context, "AssumeRole", () => sts.send(new AssumeRoleCommand(input)));
  };
}

function withinSts(context: ChainContext, operation: string, ask: () => Promise<object>): Promise<Credentials> {
  const { limits = sourceLimits, startTimer } = context;
  const limit = {
    limitMs: limits.stsMs,
    timeout: () => sourceTimeout(`${operation} of STS`, limits.stsMs),
    ...(startTimer === undefined ? {} : { startTimer }),
  };
  return within(limit, () => askSts(operation, ask));
}

const roleInput = ({ roleArn, sessionName, externalId, durationSeconds }: RoleStep): AssumeRoleCommandInput => ({
  RoleArn: roleArn,
  RoleSessionName: sessionName ?? defaultSessionName,
  DurationSeconds: durationSeconds ?? sessionSeconds,
  ...(externalId === undefined ? {} : { ExternalId: externalId }),
});

class Sources {
  readonly #context: ChainContext;
  readonly #limits: SourceLimits;
  readonly #readText: ReadText;

  constructor(context: ChainContext) {
    this.#context = context;
    this.#limits = context.limits ?? sourceLimits;
    this.#readText = context.readText ?? limitedFiles(context.startTimer);
  }

  /** Chooses anew each time: files and what they name may have changed. */
  async fetch(profile: string | undefined): Promise<Credentials> {
    const { env, onChoice } = this.#context;
    const sections = await readSharedFiles(env, this.#readText);
    const looked = { env, sections, readText: this.#readText, setting: profile };
    let choice: Choice;
    try {
      choice = chooseCredentials(env, sections, profile);
    } catch (error) {
      throw await whereProfileIsMissing(error, looked);
    }
    onChoice?.(choice, profile === undefined ? identityChange(env, sections, choice) : undefined);
    let fetch: FetchCredentials = async () => {
      try {
        return await this.#origin(choice.origin);
      } catch (error) {
        throw await whereNothingIsFound(error, choice, looked);
      }
    };
    for (const role of choice.roles) fetch = assume(fetch, roleInput(role), this.#context);
    return fetch();
  }

  #origin(origin: Origin): Promise<Credentials> | Credentials {
    const { env, startTimer } = this.#context;
    const timing = startTimer === undefined ? {} : { startTimer };
    const { processMs, endpointMs, signInMs, containerRequestMs, instanceRequestMs } = this.#limits;
    switch (origin.kind) {
      case "environment":
        return environmentCredentials(env);
      case "keys":
        return profileKeys(origin.profile);
      case "web-identity":
        return this.#webIdentity(origin);
      case "process": {
        const options = { command: origin.command, profile: origin.profile.name, env };
        return this.#within(processName(origin.profile.name), processMs, (signal) =>
          processCredentials(options, signal),
        );
      }
      case "container": {
        const { url, variable } = origin;
        const options = { url, variable, env, readText: this.#readText, requestMs: containerRequestMs, ...timing };
        return this.#within(containerName(url), endpointMs, (signal) => containerCredentials(options, signal));
      }
      case "instance": {
        const options = { profile: origin.profile, env, requestMs: instanceRequestMs, ...timing };
        return this.#within("the instance metadata service", endpointMs, (signal) =>
          instanceCredentials(options, signal),
        );
      }
      case "sso":
        return this.#within(`the SSO session of profile ${origin.profile.name}`, signInMs, () =>
          ssoCredentials(origin.profile, origin.settings, this.#sdkOptions),
        );
      case "login":
        return this.#within(`the login session of profile ${origin.profile.name}`, signInMs, () =>
          loginCredentials(origin.profile, this.#sdkOptions),
        );
    }
  }

  get #sdkOptions() {
    const { requestHandler, logger } = this.#context.sts;
    return { requestHandler, logger, maxAttempts: 1 };
  }

  async #within(source: string, limitMs: number, work: (signal: AbortSignal) => Promise<Credentials>) {
    const { startTimer } = this.#context;
    const limit = { limitMs, timeout: () => sourceTimeout(source, limitMs) };
    const credentials = await within({ ...limit, ...(startTimer === undefined ? {} : { startTimer }) }, work);
    return checkPlain(credentials, source);
  }

  async #webIdentity(origin: Extract<Origin, { kind: "web-identity" }>): Promise<Credentials> {
    const token = (await this.#readText(origin.tokenFile)).trim();
    withholdToken(token);
    // The token is the proof; the SDK does not look for other credentials.
    const sts = new STSClient(this.#context.sts);
    const command = new AssumeRoleWithWebIdentityCommand({
      RoleArn: origin.roleArn,
      RoleSessionName: origin.sessionName ?? defaultSessionName,
      WebIdentityToken: token,
    });
    return withinSts(this.#context, "AssumeRoleWithWebIdentity", () => sts.send(command));
  }
}

function baseFetch({ credentials, profile }: CredentialConfig, context: ChainContext): FetchCredentials {
  if (credentials !== undefined) {
    const { accessKeyId, secretAccessKey, sessionToken } = credentials;
    const fixed = { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) };
    return async () => fixed;
  }
  const sources = new Sources(context);
  return async () => {
    try {
      return await sources.fetch(profile);
    } catch (error) {
      throw credentialsErrorFrom("credentials", error);
    }
  };
}

/** A fresh chain. */
export function credentialChain(config: CredentialConfig, context: ChainContext): FetchCredentials {
  const base = baseFetch(config, context);
  const { assumeRole } = config;
  if (assumeRole === undefined) return base;
  const { roleArn, externalId, sessionName } = assumeRole;
  const input = roleInput({
    roleArn,
    profile: "",
    sessionName,
    ...(externalId === undefined ? {} : { externalId }),
  });
  return assume(base, input, context);
}
