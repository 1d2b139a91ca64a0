/** From the text of `/proc/<pid>/cgroup` to selectors. */

/**
 * `unit:nginx.service`, `slice:system.slice`, and for units of a template `template:getty@.service` and `instance:tty1`.
 *
 * What lies below the first service or scope is left out: systemd hands that part of the tree to the unit, and a user's own
 * manager names the groups in it as it likes.
 *
 * @returns nothing for a process outside of systemd
 */
export function selectorsOf(groups: string): string[] {
  const steps = systemdPath(groups)
    .split("/")
    .filter((step) => step !== "");
  const end = steps.findIndex((step) => /\.(?:service|scope)$/.test(step));
  const slices = (end < 0 ? steps : steps.slice(0, end)).filter((step) => step.endsWith(".slice"));
  const unit = end < 0 ? undefined : steps[end];
  return [...(unit === undefined ? [] : unitSelectors(unit)), ...slices.map((slice) => `slice:${slice}`)];
}

/** The one hierarchy of version 2, or the one that systemd has for itself beside those of version 1. */
function systemdPath(groups: string): string {
  const lines = groups.split("\n").map((line) => /^(\d+):([^:]*):(.*)$/.exec(line));
  const own = lines.find((line) => line?.[2] === "name=systemd") ?? lines.find((line) => line?.[1] === "0");
  return own?.[3] ?? "";
}

function unitSelectors(unit: string): string[] {
  const [, name = "", instance = "", ending = ""] = /^([^@]+)@([^@]+)(\.\w+)$/.exec(unit) ?? [];
  return [`unit:${unit}`, ...(name === "" ? [] : [`template:${name}@${ending}`, `instance:${instance}`])];
}
