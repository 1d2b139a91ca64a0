/** Wildcard patterns of policies: `*` any run of characters, `?` any one. */
const compiled = new Map<string, RegExp>();
const maxCompiled = 5_000;

function compile(pattern: string, flags: string): RegExp {
  const name = `${flags}:${pattern}`;
  const known = compiled.get(name);
  if (known) return known;
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, "\\$&")
    .replace(/\*+/g, ".*")
    .replace(/\?/g, ".");
  const expression = new RegExp(`^${source}$`, flags);
  if (compiled.size >= maxCompiled) compiled.clear();
  compiled.set(name, expression);
  return expression;
}

export const globMatches = (pattern: string, text: string): boolean =>
  pattern === "*" || pattern === text || compile(pattern, "s").test(text);

export const globMatchesIgnoreCase = (pattern: string, text: string): boolean =>
  pattern === "*" || compile(pattern, "is").test(text);
