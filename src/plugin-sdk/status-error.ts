export type { FailureCode } from "../go-plugin/status-error.ts";
export { GrpcStatusError, StatusError } from "../go-plugin/status-error.ts";
