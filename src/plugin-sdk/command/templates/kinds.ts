/** The kinds of plugins that a project can be made for. */
import { agentKinds } from "./agent.ts";
import { keyManagers } from "./key-managers.ts";
import { serverKinds } from "./server.ts";
import type { Template } from "./template.ts";

const templates: Readonly<Record<string, Template>> = { ...agentKinds, ...serverKinds, ...keyManagers };

export const kindNames: readonly string[] = Object.keys(templates);

export const templateOf = (kind: string): Template | undefined =>
  Object.hasOwn(templates, kind) ? templates[kind] : undefined;
