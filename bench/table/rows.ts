/** The rows of the table: what each is called, and what it must reach. */

export type RowName = (typeof rowSpecs)[number]["name"];

export interface RowSpec {
  readonly name: string;
  readonly what: string;
  readonly unit: string;
  /** `ratio`: ours ÷ the peer in Go, round by round. `value`: ours alone. */
  readonly judged: "ratio" | "value";
  readonly must: number;
  readonly aim?: number;
  /** More is better. */
  readonly isAtLeast?: true;
  /** Cannot be measured by Node's own driver and stub. */
  readonly needsGo?: true;
}

const ratio = { judged: "ratio", needsGo: true } as const;
const cpu = { ...ratio, unit: "CPU µs" } as const;

export const rowSpecs = [
  { ...cpu, name: "sign-p256-verified", what: "SignData P-256, 64 callers, verified", must: 1, aim: 0.75 },
  { ...cpu, name: "sign-p256-unverified", what: "SignData P-256, 64 callers, not verified", must: 0.75, aim: 0.65 },
  { ...cpu, name: "sign-p384-verified", what: "SignData P-384, 64 callers, verified", must: 1.3, aim: 1.1 },
  { ...cpu, name: "sign-rsa2048-verified", what: "SignData RSA-2048, 64 callers, verified", must: 1, aim: 0.8 },
  { ...cpu, name: "sign-rsa4096-verified", what: "SignData RSA-4096, 64 callers, verified", must: 1, aim: 0.8 },
  {
    ...ratio,
    name: "rate-p256",
    what: "P-256 at 64 callers, verified",
    unit: "signs/s",
    must: 1,
    aim: 1.2,
    isAtLeast: true,
  },
  { ...ratio, name: "rate-p384", what: "P-384 at 64 callers, verified", unit: "signs/s", must: 0.8, isAtLeast: true },
  { ...ratio, name: "p50-one-caller", what: "SignData P-256, one caller, p50", unit: "ms", must: 1.2, aim: 1 },
  { ...ratio, name: "first-sign", what: "first Sign after Configure", unit: "ms", must: 3, aim: 2 },
  { ...ratio, name: "configure-cpu", what: "Configure with 4 keys", unit: "CPU ms", must: 4, aim: 3 },
  {
    name: "late-p999",
    what: "p99.9 with 1 % of the answers 1 s late",
    unit: "ms",
    judged: "value",
    must: 350,
    aim: 250,
    needsGo: true,
  },
  { name: "late-calls", what: "more Sign calls for it", unit: "%", judged: "value", must: 2, needsGo: true },
  {
    name: "sign-during-generate",
    what: "Sign p99 while 8 keys are made ÷ without",
    unit: "×",
    judged: "value",
    must: 1.1,
    aim: 1,
    needsGo: true,
  },
  { ...ratio, name: "describe-cpu", what: "DescribeKey in a scan", unit: "CPU ms", must: 1, aim: 0.5 },
  {
    name: "overload-cpu",
    what: "300/s on a quota of 100: CPU of a call offered",
    unit: "CPU ms",
    judged: "value",
    must: 0.7,
    needsGo: true,
  },
  {
    name: "overload-p50",
    what: "300/s on a quota of 100: p50 of what succeeds",
    unit: "ms",
    judged: "value",
    must: 200,
    needsGo: true,
  },
  { name: "idle-cpu", what: "idle, CPU a minute", unit: "CPU ms", judged: "value", must: 10 },
  { name: "rss-configure", what: "RSS after Configure", unit: "MB", judged: "value", must: 70 },
  { name: "rss-40k", what: "RSS over 40,000 signs, the most", unit: "MB", judged: "value", must: 100 },
  { name: "rss-1m", what: "RSS after 1,000,000 signs", unit: "MB", judged: "value", must: 100 },
  { name: "start", what: "exec → handshake ÷ node -e 0", unit: "×", judged: "value", must: 1.4, aim: 1.25 },
] as const satisfies readonly RowSpec[];
