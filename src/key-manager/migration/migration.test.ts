/** The steps of a migration for each way in which a key can have its two names, as pure plans. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { awsKmsNames } from "../../plugin/aws-kms/names.ts";
import { kmsNames } from "../../plugin/kms/names.ts";
import { type Comparison, compareNames, type MigrationNames, type NamedKey } from "./compare-names.ts";
import { finishWarnings, refreshDeadline } from "./refresh-deadline.ts";
import { type Phase, planPhase, type Step } from "./steps.ts";

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
const now = new Date("2026-11-22T12:00:00Z");
const ago = (ms: number) => new Date(now.getTime() - ms);

const fromKms: MigrationNames = { from: kmsNames("SERVER_A/"), to: awsKmsNames("example.org", "s1") };
const fromServerId: MigrationNames = { from: awsKmsNames("example.org", "s0"), to: awsKmsNames("example.org", "s1") };
const keyId = "x509-CA-A";

/** A usable key made by the old names' plugin ten days ago, unless it is said otherwise. */
function key(id: string, changes: Partial<NamedKey> = {}): Omit<NamedKey, "aliasName"> {
  const trouble = changes.keyState === undefined || changes.keyState === "Enabled" ? undefined : "it cannot be used";
  return {
    addedAt: ago(10 * dayMs),
    refreshedAt: ago(hourMs),
    keyArn: `arn:aws:kms:us-east-2:111122223333:key/${id}`,
    description: `SERVER_A/${keyId}`,
    keyState: "Enabled",
    createdAt: ago(10 * dayMs),
    fingerprint: trouble === undefined ? `fingerprint of ${id}` : undefined,
    trouble,
    ...changes,
  };
}

type Side = Readonly<Record<string, Omit<NamedKey, "aliasName">>>;

function compare(from: Side, to: Side, names = fromKms): Comparison {
  const side = (keys: Side, { aliasFor }: MigrationNames["from"]) =>
    new Map(Object.entries(keys).map(([id, facts]) => [id, { ...facts, aliasName: aliasFor(id) }]));
  return compareNames({ from: side(from, names.from), to: side(to, names.to), leftOut: [], now }, names);
}

const short = (aliasName: string) => (aliasName.startsWith("alias/SERVER_A") ? "old" : "new");
const stepsOf = (phase: Phase, compared: Comparison, names = fromKms) =>
  planPhase(phase, compared, now, names).steps.map(({ kind, aliasName, keyArn }) =>
    [kind, short(aliasName), keyArn.slice(keyArn.lastIndexOf("/") + 1)].join(" "),
  );
const refusalsOf = (phase: Phase, compared: Comparison) => planPhase(phase, compared, now, fromKms).refusals;

const pending = { keyState: "PendingDeletion" } as const;
const byAwsKms = { description: "SPIRE_SERVER/example.org", createdAt: ago(dayMs) } as const;

interface Case {
  readonly title: string;
  readonly old?: Omit<NamedKey, "aliasName">;
  readonly new?: Omit<NamedKey, "aliasName">;
  readonly stands: string;
  readonly apply: readonly string[];
  /** Undefined: refused. */
  readonly finish: readonly string[] | undefined;
  readonly back: readonly string[] | undefined;
}

const cases: readonly Case[] = [
  { title: "an old alias only", old: key("1"), stands: "old", apply: ["add new 1"], finish: undefined, back: [] },
  {
    title: "both aliases on one key",
    old: key("1"),
    new: key("1"),
    stands: "both",
    apply: [],
    finish: ["remove old 1"],
    back: ["remove new 1"],
  },
  {
    title: "rotated by kms since, the replaced key pending deletion",
    old: key("2", { createdAt: ago(dayMs) }),
    new: key("1", pending),
    stands: "rotated-old",
    apply: ["move new 2"],
    finish: undefined,
    back: ["remove new 1"],
  },
  {
    title: "rotated by the original since, which forgot to schedule the replaced key",
    old: key("2", { createdAt: ago(dayMs) }),
    new: key("1"),
    stands: "rotated-old",
    apply: ["move new 2"],
    finish: undefined,
    back: ["remove new 1"],
  },
  {
    title: "rotated by aws_kms since",
    old: key("1", pending),
    new: key("2", byAwsKms),
    stands: "rotated-new",
    apply: [],
    finish: ["remove old 1"],
    back: ["move old 2", "remove new 2"],
  },
  {
    title: "an old key that an operator disabled, a new one made since",
    old: key("1", { keyState: "Disabled" }),
    new: key("2", byAwsKms),
    stands: "rotated-new",
    apply: [],
    finish: [],
    back: ["move old 2", "remove new 2"],
  },
  {
    title: "a disabled key under its old name",
    old: key("1", { keyState: "Disabled" }),
    stands: "unusable",
    apply: [],
    finish: [],
    back: [],
  },
  {
    title: "a key that was disabled after it had been added",
    old: key("1", { keyState: "Disabled" }),
    new: key("1", { keyState: "Disabled" }),
    stands: "unusable",
    apply: [],
    finish: [],
    back: ["remove new 1"],
  },
  { title: "a new alias only", new: key("1"), stands: "new", apply: [], finish: [], back: undefined },
];

describe("how a key stands between its two names", () => {
  for (const { title, old, new: current, stands, apply, finish, back } of cases) {
    it(title, () => {
      const compared = compare(
        old === undefined ? {} : { [keyId]: old },
        current === undefined ? {} : { [keyId]: current },
      );
      assert.deepEqual(compared.conflicts, []);
      assert.deepEqual(
        compared.comparedKeys.map(({ kind }) => kind),
        [stands],
      );
      for (const [phase, steps] of [
        ["apply", apply],
        ["finish", finish],
        ["back", back],
      ] as const) {
        assert.deepEqual(stepsOf(phase, compared), steps ?? [], phase);
        assert.equal(refusalsOf(phase, compared).length > 0, steps === undefined, `${phase} is refused`);
      }
    });
  }

  it("removes an alias only after making sure of the other one", () => {
    const kept = (phase: Phase, compared: Comparison) =>
      planPhase(phase, compared, now, fromKms).steps.flatMap((step: Step) =>
        step.kind === "remove" ? [step.kept] : [],
      );
    const both = compare({ [keyId]: key("1") }, { [keyId]: key("1") });
    assert.deepEqual(kept("finish", both), [{ aliasName: fromKms.to.aliasFor(keyId), keyArn: key("1").keyArn }]);
    assert.deepEqual(kept("back", both), [{ aliasName: fromKms.from.aliasFor(keyId), keyArn: key("1").keyArn }]);
    const rotated = compare({ [keyId]: key("1", pending) }, { [keyId]: key("2", byAwsKms) });
    assert.deepEqual(kept("finish", rotated), [{ aliasName: fromKms.to.aliasFor(keyId), keyArn: key("2").keyArn }]);
    assert.deepEqual(kept("back", rotated), [{ aliasName: fromKms.from.aliasFor(keyId), keyArn: key("2").keyArn }]);
  });

  it("brings keys back that were made under the new names since", () => {
    const compared = compare({ [keyId]: key("1") }, { [keyId]: key("1"), "WIT-Signer-A": key("2", byAwsKms) });
    assert.deepEqual(stepsOf("back", compared), ["add old 2", "remove new 2", "remove new 1"]);
  });

  const conflicts: ReadonlyArray<readonly [title: string, from: Side, to: Side, message: RegExp]> = [
    [
      "a new alias on a foreign key",
      { [keyId]: key("1") },
      { [keyId]: key("9", byAwsKms) },
      /stands on another key \(.*key\/9\).*another server has that name, give this one another id$/,
    ],
    [
      "a new alias on a disabled key",
      { [keyId]: key("1") },
      { [keyId]: key("9", { ...byAwsKms, keyState: "Disabled" }) },
      /stands on a key that cannot be used \(.*key\/9\): it cannot be used$/,
    ],
    [
      "new names that another server has",
      { [keyId]: key("1") },
      { "JWT-Signer-A": key("9", byAwsKms) },
      /^the new names are in use by another server \(alias\/SPIRE_SERVER\/example_org\/s1\/JWT-Signer-A\)/,
    ],
    [
      "a description that says another trust domain",
      { [keyId]: key("1", { description: "SPIRE_SERVER/example_org" }) },
      {},
      /would not be taken for key "x509-CA-A".* because of its description "SPIRE_SERVER\/example_org"/,
    ],
    [
      "a description that would be read as another id",
      { a_2eb: key("1", { description: "SPIRE_SERVER_KEY/example_org/a_2eb" }) },
      {},
      /would not be taken for key "a_2eb"/,
    ],
    ["an id that is too long", { ["k".repeat(230)]: key("1") }, {}, /makes an alias of 26\d characters/],
  ];
  for (const [title, from, to, message] of conflicts) {
    it(`refuses ${title}, in every phase and for every key`, () => {
      const compared = compare({ ...from, other: key("5", { description: "SERVER_A/other" }) }, to);
      assert.equal(compared.conflicts.length, 1);
      assert.match(compared.conflicts[0] ?? "", message);
      for (const phase of ["apply", "finish", "back"] as const) {
        assert.deepEqual(refusalsOf(phase, compared), compared.conflicts);
        assert.deepEqual(stepsOf(phase, compared), []);
      }
    });
  }

  it("refuses when nothing is found at all", () => {
    assert.match(refusalsOf("apply", compare({}, {}))[0] ?? "", /^no key is found .*check the names and the Region$/);
  });

  it("between server ids trusts the state of a replaced key, not its description", () => {
    const description = "SPIRE_SERVER/example.org";
    const newer = key("2", { description, createdAt: ago(dayMs) });
    const rotated = compare({ [keyId]: newer }, { [keyId]: key("1", { description, ...pending }) }, fromServerId);
    assert.equal(rotated.comparedKeys[0]?.kind, "rotated-old");
    const unclear = compare({ [keyId]: newer }, { [keyId]: key("1", { description }) }, fromServerId);
    assert.equal(unclear.conflicts.length, 1);
  });
});

describe("aliases that servers take for forgotten", () => {
  const forgotten = { refreshedAt: ago(2 * dayMs) };
  const both = (names: MigrationNames) =>
    compare({ [keyId]: key("1", forgotten) }, { [keyId]: key("1", forgotten) }, names);

  it("are refreshed by another apply, where servers prune", () => {
    const refreshed = (names: MigrationNames) =>
      planPhase("apply", both(names), now, names).steps.map(({ kind, aliasName }) => [kind, aliasName]);
    assert.deepEqual(refreshed(fromKms), [["refresh", "alias/SPIRE_SERVER/example_org/s1/x509-CA-A"]]);
    assert.deepEqual(refreshed(fromServerId), [
      ["refresh", "alias/SPIRE_SERVER/example_org/s0/x509-CA-A"],
      ["refresh", "alias/SPIRE_SERVER/example_org/s1/x509-CA-A"],
    ]);
  });

  it("are not touched while a server refreshes them: it may rotate at this moment", () => {
    const compared = compare({ [keyId]: key("1") }, { [keyId]: key("1") });
    assert.deepEqual(planPhase("apply", compared, now, fromKms).steps, []);
  });

  it("are refreshed on the way back, before the server has another two weeks", () => {
    const steps = planPhase("back", both(fromServerId), now, fromServerId).steps;
    assert.deepEqual(
      steps.map(({ kind, aliasName }) => [kind, aliasName]),
      [
        ["refresh", "alias/SPIRE_SERVER/example_org/s0/x509-CA-A"],
        ["remove", "alias/SPIRE_SERVER/example_org/s1/x509-CA-A"],
      ],
    );
  });

  it("have a deadline two weeks after the earliest refresh; names of kms have none", () => {
    const deadline = (names: MigrationNames, from: Partial<NamedKey>, to: Partial<NamedKey>) =>
      refreshDeadline(compare({ [keyId]: key("1", from) }, { [keyId]: key("1", to) }, names).comparedKeys, names);
    const later = { refreshedAt: ago(0) };
    assert.deepEqual(deadline(fromKms, forgotten, later), new Date(now.getTime() + 14 * dayMs));
    assert.deepEqual(deadline(fromServerId, forgotten, later), new Date(now.getTime() + 12 * dayMs));
    assert.equal(refreshDeadline(compare({ [keyId]: key("1") }, {}).comparedKeys, fromKms), undefined);
  });

  it("tell before the old names go whether the server has moved", () => {
    const added = { addedAt: ago(hourMs), refreshedAt: ago(hourMs) };
    const warned = (from: Partial<NamedKey>, to: Partial<NamedKey>, names = fromKms) =>
      finishWarnings(compare({ [keyId]: key("1", from) }, { [keyId]: key("1", to) }, names).comparedKeys, now, names);
    assert.match(warned({}, added)[0] ?? "", /^no server has refreshed the new aliases yet/);
    assert.deepEqual(warned({}, { addedAt: ago(dayMs), refreshedAt: ago(hourMs) }), []);
    const moved = { addedAt: ago(dayMs), refreshedAt: ago(hourMs) };
    assert.match(warned({}, moved, fromServerId)[0] ?? "", /^a server refreshed the old aliases within the last hours/);
    assert.deepEqual(warned({ refreshedAt: ago(dayMs) }, moved, fromServerId), []);
  });
});
