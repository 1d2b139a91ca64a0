/** The kinds of value that settings have, each with the words for a wrong one. */
import * as v from "valibot";
import { formatDuration, parseDuration } from "../../key-manager/pace/duration.ts";

const numberLiteral = v.strictObject({ number: v.string() });
export const textOfNumber = v.pipe(
  numberLiteral,
  // SPIRE's decoder takes whole numbers only.
  v.check((literal) => /^[+-]?(\d+|0[xX][0-9a-fA-F]+)$/.test(literal.number)),
  v.transform((literal) => literal.number),
);

/** Access key ids, tokens, and what is as long and as mixed as a secret access key. */
const maybeSecret = /\b(?:AKIA|ASIA)[A-Z0-9]{8,}|\beyJ[\w-]{8,}(?:\.[\w-]+)*|[A-Za-z0-9+/=_-]{24,}/g;
const isMixed = (run: string): boolean => /[a-z]/.test(run) && /[A-Z]/.test(run) && /\d/.test(run);

/** A secret that was put into the wrong setting must not be told whole; its beginning is enough to find it. */
const masked = (value: string): string =>
  value.startsWith("arn:")
    ? value
    : value.replace(maybeSecret, (run) => (/^(AKIA|ASIA|eyJ)/.test(run) || isMixed(run) ? `${run.slice(0, 4)}…` : run));

/** A value as messages show it. */
export const shown = (value: unknown): string => {
  const literal = v.safeParse(numberLiteral, value);
  if (literal.success) return masked(literal.output.number).slice(0, 80);
  // Before it is escaped: a quote or a line break within must not hide it.
  const plain =
    typeof value === "string" ? JSON.stringify(masked(value)) : masked(JSON.stringify(value) ?? String(value));
  return plain.length > 80 ? `${plain.slice(0, 80)}…` : plain;
};

/** Like SPIRE's own decoder: a number may stand for a string, and an empty string is no setting. */
export const text = v.pipe(
  v.union([v.string(), textOfNumber], (issue) => `must be a string, not ${shown(issue.input)}`),
  v.transform((value) => (value === "" ? undefined : value)),
);
/** A string that no message may quote. */
export const secret = v.pipe(
  v.union([v.string(), textOfNumber], "must be a string"),
  // A line break at the end of a heredoc, above all: no header can carry it.
  v.check((value) => /^[!-~]*$/.test(value), "must hold letters, digits and signs only, no spaces and no line breaks"),
  v.transform((value) => (value === "" ? undefined : value)),
);
export const flag = v.pipe(
  v.union([v.boolean(), v.picklist(["true", "false"])], (issue) => `must be true or false, not ${shown(issue.input)}`),
  v.transform((value) => value === true || value === "true"),
);

/** One of a few words; an empty string is no setting. */
export const oneOf = <const Word extends string>(...words: readonly Word[]) =>
  v.pipe(
    v.picklist(
      ["", ...words],
      (issue) => `must be ${words.map((word) => `"${word}"`).join(" or ")}, not ${shown(issue.input)}`,
    ),
    v.transform((value): Word | undefined => words.find((word) => word === value)),
  );

export const wholeNumber = (from: number, to: number) =>
  v.pipe(
    v.union([v.string(), textOfNumber], (issue) => `must be a whole number, not ${shown(issue.input)}`),
    v.check(
      (value) => /^\d+$/.test(value) && Number(value) >= from && Number(value) <= to,
      (issue) => `must be a whole number from ${from} to ${to}, not ${masked(issue.input)}`,
    ),
    v.transform(Number),
  );

export const matching = (pattern: RegExp, rule: string) =>
  v.pipe(
    text,
    v.check(
      (value) => value === undefined || pattern.test(value),
      (issue) => `is ${shown(issue.input)}; it ${rule}`,
    ),
  );

/** Open to the names of private stacks; an Availability Zone (us-east-2a) is the usual slip. */
export const regionName = matching(
  /^(?=.*[a-z])(?!.*\d[a-z]$)[a-z0-9]+(-[a-z0-9]+)*$/,
  "must be the code of an AWS Region, like us-east-2",
);

/** For who has no schema. */
export const isRegionName = (text: string): boolean => v.safeParse(regionName, text).success;

const isHttpUrl = (value: string): boolean => {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  return (url?.protocol === "http:" || url?.protocol === "https:") && url.username === "" && url.password === "";
};

export const endpoint = v.pipe(
  text,
  v.check(
    (value) => value === undefined || isHttpUrl(value),
    // Not quoted: a URL may carry a password.
    "must be an http:// or https:// URL without user name and password, like https://kms.eu-west-1.amazonaws.com",
  ),
);

/** A Go duration, in milliseconds. */
export const duration = (minMs: number) =>
  v.pipe(
    text,
    v.check(
      (value) => value === undefined || (parseDuration(value) ?? -1) >= minMs,
      (issue) =>
        `is ${shown(issue.input)}; it must be a duration of at least "${formatDuration(minMs)}", like "90m" or "48h"`,
    ),
    v.transform((value) => (value === undefined ? undefined : parseDuration(value))),
  );

/** A server's identifier: one or several segments of an alias. */
export const serverId = v.pipe(
  matching(
    /^[A-Za-z0-9/_-]*$/,
    "must contain only alphanumeric characters, forward slashes (/), underscores (_), and dashes (-)",
  ),
  v.check(
    (value) => value === undefined || value.length <= 256,
    (issue) => `has ${String(issue.input).length} characters; it must not be longer than 256 characters`,
  ),
  v.check((value) => !value?.startsWith("alias/aws/"), "must not start with alias/aws/"),
  v.check(
    (value) => value === undefined || /[^/]/.test(value),
    (issue) => `is ${shown(issue.input)}; it must contain more than slashes`,
  ),
);

const loopback = /^(127(?:\.\d{1,3}){3}|localhost|\[::1\]):(\d{1,5})$/;

/** An address on this machine that no other machine reaches. */
export const loopbackAddress = v.pipe(
  text,
  v.check(
    (value) => value === undefined || (Number(loopback.exec(value)?.[2] ?? 0) - 1 < 65_535 && loopback.test(value)),
    (issue) => `is ${shown(issue.input)}; it must be a loopback address with a port, like 127.0.0.1:9988`,
  ),
  v.transform((value) => {
    const [, host = "", port = ""] = loopback.exec(value ?? "") ?? [];
    return value === undefined ? undefined : { host: host.replace(/[[\]]/g, ""), port: Number(port) };
  }),
);
