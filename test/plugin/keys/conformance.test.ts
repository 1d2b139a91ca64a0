/** SPIRE's conformance suite on the shipped `aws_kms`, with SignData on the fast path and by the gRPC library. */
import { describe } from "node:test";
import { describeConformance } from "../harness/conformance.ts";
import { pluginCommand } from "../harness/plugin-command.ts";
import { pluginData } from "../harness/settings.ts";

for (const isFast of [true, false])
  describe(`grpc_fast_path = ${isFast}`, () => {
    describeConformance({ pluginCommand, pluginData: pluginData({ grpc_fast_path: isFast }) });
  });
