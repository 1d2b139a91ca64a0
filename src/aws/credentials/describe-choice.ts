/** Where credentials come from, in words for the log. */
import type { Choice, Origin } from "./choice.ts";
import { containerName } from "./sources/container.ts";

function originWords(origin: Origin): string {
  switch (origin.kind) {
    case "environment":
      return "keys of the environment";
    case "keys":
      return `keys of profile ${origin.profile.name}`;
    case "web-identity":
      return origin.profile === undefined
        ? "web identity of the environment"
        : `web identity of profile ${origin.profile.name}`;
    case "sso":
      return `SSO session of profile ${origin.profile.name}`;
    case "login":
      return `login session of profile ${origin.profile.name}`;
    case "process":
      return `credential_process of profile ${origin.profile.name}`;
    case "container":
      return containerName(origin.url);
    case "instance":
      return "role of the EC2 instance";
  }
}

export function describeChoice({ origin, roles }: Choice): string {
  return [originWords(origin), ...roles.map(({ roleArn }) => `role ${roleArn}`)].join(", then ");
}
