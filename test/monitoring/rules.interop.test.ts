/**
 * The alert rules and the dashboard at work on metrics of real plugins, in Prometheus's own engine. Time is told to promtool: what a plugin's metrics
 * were before and after a fault is stretched over hours and days.
 */
import assert from "node:assert/strict";
import { after, before, describe, it, type TestContext } from "node:test";
import { useStage } from "../plugin/harness/stage.ts";
import { alertNames, dashboardQueries, rulesPath } from "./deployed.ts";
import type { Sample } from "./go-metrics-sink.ts";
import { failuresOf, findPromtool, Unavailable, type UnitTest } from "./promtool.ts";
import { RealRun, type Trouble } from "./real-run.ts";
import type { Snapshot } from "./watched-plugin.ts";

/** What a server that has just started, with one Region, does not tell. */
const ofOthers = /_task_|_replicas$|_region_answers$/;

const places = ["own", "host"] as const;
type Place = (typeof places)[number];

interface Shape {
  /** Minutes that the state before lasts, and the one after. */
  readonly minutes: readonly [before: number, after: number];
  /** The trouble goes on: what was counted is counted again each minute. */
  readonly goesOn?: boolean;
}

const seriesOf = ({ name, labels }: Sample): string => {
  const pairs = Object.entries({ ...labels, job: "spire", instance: "server-1" });
  return `${name}{${pairs.map(([label, value]) => `${label}=${JSON.stringify(value)}`).join(",")}}`;
};

const number = (value: number): string => (Number.isNaN(value) ? "NaN" : String(value));

/** One series as it is over all minutes. Its clock begins with the snapshot before. */
function valuesOf(from: Sample | undefined, to: Sample | undefined, startSeconds: number, shape: Shape): string {
  const [beforeMinutes, afterMinutes] = shape.minutes;
  const sample = to ?? from;
  const isTime = sample?.name.endsWith("_timestamp_seconds") === true;
  const isAge = sample?.name.endsWith("_task_age_seconds") === true;
  const shift = isTime ? startSeconds : 0;
  const early = from === undefined ? `_x${beforeMinutes}` : steps(from.value - shift, isAge ? 60 : 0, beforeMinutes);
  if (to === undefined) return early;
  const grown = shape.goesOn && to.isCounter ? to.value - (from?.value ?? 0) : 0;
  const start = isAge ? to.value + beforeMinutes * 60 : to.value - shift;
  return `${early} ${steps(start, isAge ? 60 : grown, afterMinutes)}`;
}

const steps = (start: number, step: number, minutes: number): string =>
  `${number(start)}${step < 0 ? "-" : "+"}${number(Math.abs(step))}x${minutes}`;

function inputOf({ before, after }: Trouble, place: Place, shape: Shape): UnitTest["input_series"] {
  const early = new Map(before[place].map((sample) => [seriesOf(sample), sample]));
  const late = new Map(after[place].map((sample) => [seriesOf(sample), sample]));
  return [...new Set([...early.keys(), ...late.keys()])].map((series) => ({
    series,
    values: valuesOf(early.get(series), late.get(series), before.atSeconds, shape),
  }));
}

/** The same server so many days later, in which no task has succeeded. */
const aged = ({ own, host, ...rest }: Snapshot, days: number): Snapshot => ({
  ...rest,
  own: own.map((sample) =>
    sample.name.endsWith("_timestamp_seconds") ? { ...sample, value: sample.value - days * 86_400 } : sample,
  ),
  host: host.map((sample) =>
    sample.name.endsWith("_task_age_seconds") ? { ...sample, value: sample.value + days * 86_400 } : sample,
  ),
});

const yes = [{ labels: "{}", value: 1 }];

function fires(alert: string, trouble: Trouble, shape: Shape): UnitTest[] {
  return places.map((place) => ({
    name: `${alert} (${place})`,
    interval: "1m",
    input_series: inputOf(trouble, place, shape),
    promql_expr_test: [
      {
        expr: `count(count by (alertname) (ALERTS{alertname="${alert}",alertstate="firing"}))`,
        eval_time: `${shape.minutes[0] + shape.minutes[1]}m`,
        exp_samples: yes,
      },
    ],
  }));
}

describe("the alert rules and the dashboard", () => {
  const stage = useStage();
  let promtool = "";
  let reason: string | undefined;
  let run: RealRun;
  let well: Snapshot;
  let empty: Snapshot;

  before(async () => {
    try {
      promtool = await findPromtool();
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      reason = error.message;
      return;
    }
    run = new RealRun(stage);
    ({ empty, well } = await run.well());
  });
  after(() => run?.close());

  const skipped = (t: TestContext): boolean => {
    if (reason !== undefined) t.skip(reason);
    return reason !== undefined;
  };

  it("say nothing of a server that is well", async (t) => {
    if (skipped(t)) return;
    const shape: Shape = { minutes: [200, 200] };
    const tests = places.map(
      (place): UnitTest => ({
        name: `well (${place})`,
        interval: "1m",
        input_series: inputOf({ before: well, after: well }, place, shape),
        promql_expr_test: ["1h", "3h", "6h"].map((eval_time) => ({
          expr: "count(ALERTS)",
          eval_time,
          exp_samples: [],
        })),
      }),
    );
    assert.equal(await failuresOf(promtool, rulesPath, tests), "");
  });

  it("fire, each in the trouble that it is about, whichever place is scraped", async (t) => {
    if (skipped(t)) return;
    const troubles = await run.troubles();
    const trouble = (name: string): Trouble => troubles[name] ?? assert.fail(name);
    const still = (snapshot: Snapshot): Trouble => ({ before: snapshot, after: snapshot });
    const withoutTasks: Snapshot = trouble("wrong").before;
    const ceiling = await run.ceiling();
    const tests: Readonly<Record<string, UnitTest[]>> = {
      SpireAwsKmsWrongSignature: fires("SpireAwsKmsWrongSignature", trouble("wrong"), { minutes: [20, 5] }),
      SpireAwsKmsIdentityConflict: fires("SpireAwsKmsIdentityConflict", await run.conflict(), { minutes: [20, 5] }),
      SpireAwsKmsNoKeys: fires("SpireAwsKmsNoKeys", still(empty), { minutes: [20, 20] }),
      SpireAwsKmsSignFails: fires("SpireAwsKmsSignFails", trouble("signDenied"), { minutes: [10, 10], goesOn: true }),
      SpireAwsKmsCreationCeiling: fires("SpireAwsKmsCreationCeiling", ceiling, { minutes: [20, 5] }),
      SpireAwsKmsKeysNotRefreshed: fires("SpireAwsKmsKeysNotRefreshed", still(aged(well, 2)), { minutes: [10, 10] }),
      SpireAwsKmsNeverRefreshed: fires("SpireAwsKmsNeverRefreshed", still(withoutTasks), { minutes: [70, 70] }),
      SpireAwsKmsCredentials: fires("SpireAwsKmsCredentials", await run.credentials(), {
        minutes: [10, 25],
        goesOn: true,
      }),
      SpireAwsKmsAccessDenied: fires("SpireAwsKmsAccessDenied", trouble("signDenied"), {
        minutes: [10, 25],
        goesOn: true,
      }),
      SpireAwsKmsThrottled: fires("SpireAwsKmsThrottled", trouble("throttled"), { minutes: [10, 25], goesOn: true }),
      SpireAwsKmsSignSlow: fires("SpireAwsKmsSignSlow", trouble("slow"), { minutes: [10, 30], goesOn: true }),
      SpireAwsKmsDeletionsWait: fires("SpireAwsKmsDeletionsWait", trouble("waiting"), { minutes: [10, 380] }),
      SpireAwsKmsManyDeletions: fires("SpireAwsKmsManyDeletions", trouble("churn"), { minutes: [20, 5] }),
      SpireAwsKmsNotPruned: fires("SpireAwsKmsNotPruned", still(aged(well, 7)), { minutes: [10, 10] }),
      SpireAwsKmsKeyChurn: fires("SpireAwsKmsKeyChurn", trouble("churn"), { minutes: [20, 5] }),
      SpireAwsKmsGenerationsFail: fires("SpireAwsKmsGenerationsFail", trouble("generationsFail"), {
        minutes: [20, 5],
      }),
      SpireAwsKmsManyHedges: fires("SpireAwsKmsManyHedges", trouble("hedged"), { minutes: [40, 40], goesOn: true }),
      SpireAwsKmsRegionFails: fires("SpireAwsKmsRegionFails", await run.regionFails(), { minutes: [10, 15] }),
      SpireAwsKmsReplicasMissing: fires("SpireAwsKmsReplicasMissing", await run.replicasMissing(), {
        minutes: [10, 90],
      }),
      SpireAwsKmsNoMetrics: fires("SpireAwsKmsNoMetrics", still({ atSeconds: 0, own: [], host: [] }), {
        minutes: [10, 10],
      }),
    };
    assert.deepEqual(Object.keys(tests).sort(), [...alertNames].sort());
    assert.equal(await failuresOf(promtool, rulesPath, Object.values(tests).flat()), "");
    await dashboardHasAnswers(trouble("throttled"));
  });

  async function dashboardHasAnswers(trouble: Trouble): Promise<void> {
    const shape: Shape = { minutes: [20, 10], goesOn: true };
    // The rest of what a server tells comes from the one that is well.
    const whole: Trouble = {
      before: { ...trouble.before, own: [...trouble.before.own], host: [...trouble.before.host] },
      after: {
        ...trouble.after,
        own: [...trouble.after.own, ...well.own.filter(({ name }) => ofOthers.test(name))],
        host: [...trouble.after.host, ...well.host.filter(({ name }) => ofOthers.test(name))],
      },
    };
    const tests = places.map(
      (place): UnitTest => ({
        name: `dashboard (${place})`,
        interval: "1m",
        input_series: inputOf(whole, place, shape),
        promql_expr_test: dashboardQueries.map((query) => ({
          expr: `count(${query.replaceAll("$__rate_interval", "5m").replaceAll("$instance", ".*")}) > bool 0`,
          eval_time: "30m",
          exp_samples: yes,
        })),
      }),
    );
    assert.equal(await failuresOf(promtool, rulesPath, tests), "");
  }
});
