export type { FailureCode } from "../go-plugin/grpc/status-error.ts";
export { GrpcStatusError, StatusError } from "../go-plugin/grpc/status-error.ts";
