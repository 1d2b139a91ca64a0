/**
 * For tests of plugins.
 *
 * - `createTestHost` loads plugins of any kind, in this process or in one of their own, among SPIRE's services, played.
 * - `deadlineDrill`, `cancelDrill`, `killDrill`: bad days.
 * - `checkPlugin` looks at a finished executable as SPIRE would, and `formatReport` prints what it found.
 */

export type { LogLine } from "./captured-log.ts";
export { type CheckPluginOptions, checkPlugin } from "./check-plugin.ts";
export { type CheckReport, configurationBlock, type Finding, formatReport } from "./check-report.ts";
export { cancelDrill, type DrilledCall, deadlineDrill, killDrill } from "./drills.ts";
export type { FakeIdentity, RecordedMetric } from "./fake-services.ts";
export {
  createTestHost,
  type ProcessPlugin,
  type StartOptions,
  type TestHost,
  type TestHostOptions,
} from "./test-host.ts";
