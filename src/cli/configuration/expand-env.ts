/**
 * Environment variables in `server.conf`, as `spire-server run -expandEnv` puts them in: Go's `os.Expand` over the whole
 * text, comments and all, with `$$` for a dollar sign and nothing for what is not set.
 */

const special = "*#$@!?-0123456789";

interface ShellName {
  /** Empty for what is no name. */
  readonly name: string;
  /** How much of the text after the dollar sign it takes. */
  readonly width: number;
}

function nameInBraces(text: string): ShellName {
  if (special.includes(text[1] ?? " ") && text[2] === "}") return { name: text[1] ?? "", width: 3 };
  const end = text.indexOf("}", 1);
  // Go eats what it cannot read: "${" without an end, and "${}".
  if (end < 0) return { name: "", width: 1 };
  return end === 1 ? { name: "", width: 2 } : { name: text.slice(1, end), width: end + 1 };
}

function nameAfterDollar(text: string): ShellName {
  const [first = ""] = text;
  if (first === "{") return nameInBraces(text);
  if (special.includes(first)) return { name: first, width: 1 };
  const [name = ""] = /^[A-Za-z0-9_]*/.exec(text) ?? [];
  return { name, width: name.length };
}

/** @param env the environment that SPIRE Server runs in, or will */
export function expandEnv(text: string, env: Readonly<Record<string, string | undefined>>): string {
  let expanded = "";
  let copied = 0;
  for (let at = text.indexOf("$"); at >= 0 && at + 1 < text.length; at = text.indexOf("$", copied)) {
    const { name, width } = nameAfterDollar(text.slice(at + 1));
    expanded += text.slice(copied, at);
    if (name === "" && width === 0) expanded += "$";
    else if (name !== "") expanded += name === "$" ? "$" : (env[name] ?? "");
    copied = at + 1 + width;
  }
  return expanded + text.slice(copied);
}
