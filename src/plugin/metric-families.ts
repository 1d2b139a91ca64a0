/**
 * Every metric of the plugin, under both names it has. docs/monitoring.md explains each; `test/monitoring` holds the page,
 * the rules and the dashboard to these tables.
 */
import type { TelemetryEvent } from "../key-manager/telemetry.ts";

export interface MetricFamily {
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly labels: readonly string[];
  /** Prometheus's HELP. */
  readonly help: string;
}

const family = (type: MetricFamily["type"], labels: readonly string[], help: string): MetricFamily => ({
  type,
  labels,
  help,
});

/** What is counted, with its meaning. */
export const eventMeanings: Readonly<Record<TelemetryEvent, string>> = {
  keys_created: "Keys created in KMS.",
  keys_reused: "Generations that got a key made earlier instead of a new one.",
  keys_scheduled_for_deletion: "Keys scheduled for deletion.",
  creation_ceiling_reached: "Generations refused by a ceiling on new keys.",
  credential_renewals_failed: "Failed attempts to get AWS credentials.",
  identity_conflicts: "Aliases of this server that another process has moved or made.",
  wrong_signatures: "Signatures of KMS that did not verify and were not passed on.",
  signatures_hedged: "Signatures asked for a second time because the first was late.",
  signatures_failed_over: "Signatures that another Region than the server's own has answered.",
  region_failovers: "Regions that are not asked for signatures any more because KMS fails there, each time.",
  keys_replicated: "Replicas made in other Regions.",
  replications_failed: "Keys that could not be brought into another Region; each is tried again.",
};

export const events = Object.keys(eventMeanings) as readonly TelemetryEvent[];

/** At `metrics_listen`, as `spire_{plugin}_{name}`. */
export const ownFamilies = {
  aws_calls_total: family("counter", ["operation", "result"], "Attempts of AWS calls, by how they ended."),
  aws_call_duration_seconds: family("histogram", ["operation"], "Duration of AWS call attempts."),
  aws_retries_total: family("counter", ["operation", "reason"], "AWS calls tried again, by reason."),
  events_total: family("counter", ["event"], "What the plugin did."),
  live_keys: family("gauge", [], "Keys this server uses."),
  deletions_queued: family("gauge", [], "Keys not yet scheduled for deletion."),
  replicas: family("gauge", ["region", "state"], "Keys this server uses, by the state of their replica in a Region."),
  region_answers: family(
    "gauge",
    ["region"],
    "Whether KMS is asked for signatures in a Region (1) or fails there (0).",
  ),
  task_last_success_timestamp_seconds: family("gauge", ["task"], "When a background task last succeeded."),
} as const;

export type OwnFamily = keyof typeof ownFamilies;

const eventFamilies = Object.fromEntries(
  events.map((event) => [event, family("counter", [], eventMeanings[event])]),
) as Readonly<Record<TelemetryEvent, MetricFamily>>;

/** In SPIRE's telemetry, as `{plugin}.{name}`; SPIRE puts `spire_server` before it. */
export const hostFamilies = {
  aws_call: family("counter", ["operation", "result"], "Attempts of AWS calls, by how they ended."),
  "aws_call.elapsed_time": family("summary", ["operation", "result"], "Milliseconds that an attempt took."),
  aws_retry: family("counter", ["operation", "reason"], "AWS calls tried again, by reason."),
  ...eventFamilies,
  live_keys: family("gauge", [], "Keys this server uses."),
  deletions_queued: family("gauge", [], "Keys not yet scheduled for deletion."),
  replicas: family("gauge", ["region", "state"], "Keys this server uses, by the state of their replica in a Region."),
  region_answers: family(
    "gauge",
    ["region"],
    "Whether KMS is asked for signatures in a Region (1) or fails there (0).",
  ),
  task_age_seconds: family("gauge", ["task"], "Seconds since a background task last succeeded."),
};

export type HostFamily = keyof typeof hostFamilies;
