/** How the faces of host services get a client. */
import type { DescService } from "@bufbuild/protobuf";
import type { ServiceClient } from "../../go-plugin/grpc/grpc-client.ts";

/** A client of a host service that is there. @throws StatusError UNAVAILABLE */
export type HostClient = <Service extends DescService>(service: Service) => Promise<ServiceClient<Service>>;
