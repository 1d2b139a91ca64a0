/**
 * The table of nonsense: every member of every answer and of every error answer × every JSON type × every operation in use,
 * and answers that are none, over real HTTP. By rule and not by chance, so it is the same in every run.
 */
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type AwsClients, type ClientConfig, createAwsClients } from "../../src/aws/clients.ts";
import { type Clock, KmsError } from "../../src/key-manager/ports.ts";
import { emptyAnswers, errorAnswers, membersOfOtherTypes, type Nonsense, wholeAnswers } from "./answers/nonsense.ts";
import { NonsenseServer } from "./answers/nonsense-server.ts";
import { type JsonOperation, jsonOperations, type XmlOperation, xmlOperations } from "./answers/operations.ts";

/** Retries follow at once; the limit for GetRole is never reached. */
const clock: Clock = {
  now: () => new Date(),
  elapsedMs: () => performance.now(),
  random: () => 0,
  sleep: (ms, signal) =>
    ms === 0
      ? Promise.resolve()
      : new Promise((_, reject) => signal?.addEventListener("abort", () => reject(signal.reason), { once: true })),
};

const config: ClientConfig = {
  region: "us-east-2",
  credentials: { accessKeyId: "AKIATEST", secretAccessKey: "secret", sessionToken: undefined },
  profile: undefined,
  assumeRole: undefined,
  useFipsEndpoint: undefined,
  useDualstackEndpoint: undefined,
  signTransport: "own",
  hedgeSignatures: true,
  endpoint: undefined,
  stsEndpoint: undefined,
};

/** What the SDK, Node and V8 say of a failure within themselves. */
const internals =
  /is not a|Cannot (read|convert)|undefined|\[object|\bNaN\b|Unexpected|JSON at|Deserial|\$response|iterable|Invalid |[\r\n]/;

const server = new NonsenseServer();
const names = ["AWS_ENDPOINT_URL", "AWS_CONFIG_FILE", "AWS_ROLE_ARN"];
const kept = new Map(names.map((name) => [name, process.env[name]]));

const newClients = () => createAwsClients(config, clock, ["test", "1"]);

/** What is wrong with how a call ended that was answered with nonsense; undefined when nothing is. */
function faultOf(error: unknown, isRepeatable: boolean): string | undefined {
  if (!(error instanceof KmsError)) return `threw ${String(error)}`;
  const { code, message, outcomeUnknown } = error;
  if (code !== "UNAVAILABLE") return `is told as ${code}: ${message}`;
  if (!outcomeUnknown) return "is told as if nothing could have happened";
  if (internals.test(message) || message.length > 700 || message === "") return `says: ${message}`;
  if (/^(Type|Syntax|Range)Error$/.test(error.awsName)) return `is called ${error.awsName}`;
  const expected = isRepeatable ? 3 : 1;
  return server.requests === expected ? undefined : `was asked ${server.requests} times and not ${expected}`;
}

async function outcomeOf(
  call: () => Promise<unknown>,
): Promise<{ readonly value: unknown } | { readonly error: unknown }> {
  server.requests = 0;
  try {
    return { value: await call() };
  } catch (error) {
    return { error };
  }
}

/** Makes a call with every answer; lists what went wrong. */
async function faultsIn(operation: JsonOperation, answers: readonly Nonsense[]): Promise<string[]> {
  const { answer, call, optional, isFresh, isRepeatable } = operation;
  const clients = newClients();
  const right = { status: 200, body: answer === undefined ? "" : JSON.stringify(answer) };
  server.answer = right;
  // The first calls are made by the SDK, and the others learn from them.
  for (let i = 0; i < 3; i++) await call(clients);
  const value = await call(clients);
  const faults: string[] = [];
  for (const nonsense of answers) {
    server.answer = nonsense;
    const own: AwsClients = isFresh ? newClients() : clients;
    const outcome = await outcomeOf(() => call(own));
    if (isFresh) own.close();
    const isLeftOut = nonsense.isAbsent === true && optional.includes(nonsense.path ?? "");
    // What is not read may be anything.
    const isUnread = "value" in outcome && nonsense.path !== undefined && isDeepStrictEqual(outcome.value, value);
    const fault =
      "error" in outcome
        ? isLeftOut
          ? `is refused: ${String(outcome.error)}`
          : faultOf(outcome.error, isRepeatable)
        : isLeftOut || isUnread
          ? undefined
          : `is taken: ${JSON.stringify(outcome.value)?.slice(0, 200)}`;
    if (fault !== undefined) faults.push(`${nonsense.title} ${fault}`);
  }
  server.answer = right;
  if (!isDeepStrictEqual(await call(clients), value)) faults.push("a right answer afterwards is not taken");
  clients.close();
  return faults;
}

before(async () => {
  const endpoint = await server.start();
  for (const name of names) delete process.env[name];
  process.env.AWS_ENDPOINT_URL = endpoint;
  process.env.AWS_CONFIG_FILE = "/dev/null";
});
after(() => {
  server.close();
  for (const [name, value] of kept) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
});

for (const operation of jsonOperations) {
  const { title, answer } = operation;
  describe(`nonsense in answer to ${title}`, () => {
    if (answer !== undefined) {
      it("members of other types, or not there", async () => {
        const cases = membersOfOtherTypes(answer);
        assert.ok(cases.length > 10);
        assert.deepEqual(await faultsIn(operation, cases), []);
      });
    }

    it("answers that are none", async () => {
      const cases = answer === undefined ? wholeAnswers : [...wholeAnswers, ...emptyAnswers];
      assert.deepEqual(await faultsIn(operation, cases), []);
    });

    if (answer === undefined) {
      it("nothing, and members that are not known yet, are right where nothing is to be told", async () => {
        const clients = newClients();
        for (const empty of emptyAnswers) {
          server.answer = empty;
          // At most a request id, which these answers do not tell.
          const told = Object.values(Object(await operation.call(clients)));
          assert.deepEqual(
            told.filter((member) => member !== undefined),
            [],
            empty.title,
          );
        }
        clients.close();
      });
    }

    it("error answers with members of other types", async () => {
      assert.deepEqual(await faultsIn(operation, errorAnswers), []);
    });

    it("and what AWS says in earnest is believed", async () => {
      const clients = newClients();
      for (const [type, code] of [
        ["NotFoundException", "NOT_FOUND"],
        ["com.amazonaws.kms#KMSInvalidStateException:http://internal.amazon.com/", "INVALID_STATE"],
        ["AccessDeniedException", "ACCESS_DENIED"],
        ["ValidationException", "INVALID_REQUEST"],
      ] as const) {
        for (const message of ["no", null, undefined]) {
          server.answer = { status: 400, body: JSON.stringify({ __type: type, message }) };
          await assert.rejects(operation.call(clients), { name: "KmsError", code, outcomeUnknown: false });
        }
      }
      clients.close();
    });
  });
}

const page = "<html><body>Sign in</body></html>";
const xmlError = (code: string, message = "<Message>no</Message>") =>
  `<ErrorResponse><Error><Type>Sender</Type>${code}${message}</Error></ErrorResponse>`;

function xmlNonsense({ members, answer }: XmlOperation): Nonsense[] {
  const wrong = Object.keys(members).flatMap((name) => {
    const { [name]: right = "", ...others } = members;
    return [
      { title: `${name} is missing`, body: answer(others) },
      { title: `${name} is empty`, body: answer({ ...others, [name]: "" }) },
      { title: `${name} is a structure`, body: answer({ ...others, [name]: `<x>${right}</x>` }) },
      { title: `${name} is there twice`, body: answer({ ...others, [name]: `${right}</${name}><${name}>${right}` }) },
      { title: `${name} has no end`, body: answer({ ...others, [name]: "x".repeat(100_000) }) },
    ].map((nonsense) => ({ ...nonsense, status: 200 }));
  });
  const whole = answer(members);
  const bodies = ["", "{}", "<", page, "no XML", whole.slice(0, -20), xmlError("<Code>AccessDenied</Code>")];
  const errors = [
    "",
    "<Code/>",
    "<Code><x>AccessDenied</x></Code>",
    "<Code>AccessDenied</Code><Code>x</Code>",
    "<Code>7</Code>",
  ];
  return [
    ...wrong,
    ...bodies.map((body) => ({ title: `200: ${body.slice(0, 60)}`, status: 200, body })),
    ...[204, 302, 304, 600].map((status) => ({ title: `${status}`, status, body: "" })),
    ...[400, 403, 404, 500, 503].flatMap((status) => [
      ...["", "{}", page, ...errors.map((code) => xmlError(code))].map((body) => ({
        title: `${status}: ${body.slice(0, 80)}`,
        status,
        body,
      })),
    ]),
  ];
}

for (const operation of xmlOperations) {
  it(`nonsense in answer to ${operation.title}`, async () => {
    const clients = newClients();
    server.answer = { status: 200, body: operation.answer(operation.members) };
    await operation.call(clients);
    const faults: string[] = [];
    for (const nonsense of xmlNonsense(operation)) {
      server.answer = nonsense;
      const outcome = await outcomeOf(() => operation.call(clients));
      const fault = "error" in outcome ? faultOf(outcome.error, true) : `is taken: ${JSON.stringify(outcome.value)}`;
      if (fault !== undefined) faults.push(`${nonsense.title} ${fault.slice(0, 200)}`);
    }
    assert.deepEqual(faults, []);
    server.answer = { status: 403, body: xmlError("<Code>AccessDenied</Code>") };
    await assert.rejects(operation.call(clients), { name: "KmsError", code: "ACCESS_DENIED", outcomeUnknown: false });
    clients.close();
  });
}
