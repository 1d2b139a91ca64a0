/** Every source of credentials × hang, error, late, wrong: what is told, what is used meanwhile, and that it works again. */
import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import { type SourceName, SourceStage, sourceNames, type Trouble } from "./credential-sources.ts";
import { reportTable } from "./report.ts";

const troubles: readonly Trouble[] = ["hang", "error", "late", "wrong"];

/** What a request is told that has no good credentials to go with. Being late is no trouble. */
const told: Readonly<Record<SourceName, Readonly<Record<Exclude<Trouble, "late">, RegExp>>>> = {
  "shared credentials file": {
    hang: /^TIMEOUT: the file \/folder\/credentials has not answered within 5 s$/,
    error: /^UNAUTHENTICATED: cannot read the shared file \/folder\/credentials: EIO/,
    wrong: /^UNAUTHENTICATED: aws_secret_access_key of profile default holds a character that is not ASCII/,
  },
  credential_process: {
    hang: /^TIMEOUT: credential_process of profile default has not answered within 60 s$/,
    error: /^UNAUTHENTICATED: credential_process of profile default ended with status 3: no ticket$/,
    wrong: /^UNAUTHENTICATED: credential_process of profile default gave an answer that is not JSON$/,
  },
  "web identity": {
    hang: /^TIMEOUT: AssumeRoleWithWebIdentity of STS has not answered within 20 s$/,
    error: /^UNAVAILABLE: not now$/,
    wrong: /^UNAVAILABLE: /,
  },
  "role of a profile": {
    hang: /^TIMEOUT: AssumeRole of STS has not answered within 20 s$/,
    error: /^UNAVAILABLE: not now$/,
    wrong: /^UNAVAILABLE: /,
  },
  "SSO session": {
    hang: /^TIMEOUT: the SSO session of profile default has not answered within 25 s$/,
    error: /^UNAUTHENTICATED: Down: not now$/,
    wrong: /^UNAUTHENTICATED: /,
  },
  "container endpoint": {
    hang: /^TIMEOUT: the container credentials endpoint http:\/\/127.0.0.1:1\/v1\/credentials has not answered within/,
    error: /^UNAVAILABLE: the container credentials endpoint \S+ refused: HTTP 503, Down: not now$/,
    wrong: /^UNAUTHENTICATED: the container credentials endpoint \S+ gave an answer that is not JSON$/,
  },
  "token file of the container endpoint": {
    hang: /^TIMEOUT: the (file \/folder\/token|container credentials endpoint \S+) has not answered within/,
    error: /^UNAUTHENTICATED: EIO: i\/o error, read \/folder\/token$/,
    wrong: /^UNAUTHENTICATED: the file \/folder\/token of AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE holds a line break/,
  },
  "EC2 instance metadata": {
    hang: /^TIMEOUT: no AWS credentials found\. Tried: environment .*; profile default \(\S+ .*; EC2 instance \(the instance metadata service( http:\/\/127.0.0.1:1)? has not answered within 1 s\)\. Set /,
    error: /^UNAVAILABLE: the instance metadata service \S+ .*HTTP 503, Down: not now$/,
    wrong: /^UNAUTHENTICATED: the instance metadata service \S+ gave an answer that is no role's name$/,
  },
};

/** What does not expire is not renewed. */
const lasts = new Set<SourceName>(["shared credentials file"]);

describe("sources of credentials in trouble", () => {
  const rows: string[][] = [];
  after(() => reportTable("credential sources", ["source", "trouble", "without good ones, a request is told"], rows));

  for (const name of sourceNames) {
    for (const trouble of troubles) {
      it(`${name}: ${trouble}`, async (test) => {
        const stage = await SourceStage.start(name);
        const kept = { ...process.env };
        Object.assign(process.env, stage.environment);
        test.after(async () => {
          for (const key of Object.keys(stage.environment)) delete process.env[key];
          Object.assign(process.env, kept);
          await stage.stop();
        });
        stage.become(trouble);
        const source = stage.source();
        const first = await stage.outcome(source.provide());
        if (trouble === "late") assert.equal(first, "credentials");
        else {
          assert.match(first, told[name][trouble]);
          assert.equal(stage.counted, 1, "counted once");
          assert.equal(stage.log.length, 1);
        }
        assert.doesNotMatch(first + stage.log.join(), /wJalrXUtnFEMI|sso-token|eyJ/);
        rows.push([name, trouble, first]);

        stage.become("ok");
        assert.equal(await stage.outcome(source.provide()), "credentials", "works again without a restart");

        stage.become(trouble);
        assert.equal(await stage.outcome(source.provide()), "credentials", "those that are held, while they last");
        if (lasts.has(name) || trouble === "late") return;
        await stage.failures(2);
        assert.match(stage.log.at(-1) ?? "", /^AWS credentials could not be had .*"holding":true/);
      });
    }
  }
});
