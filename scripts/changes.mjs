/** The change log's section of a version; before the release it is still called Unreleased. */
export function changesOf(text, version) {
  const sections = text.split(/^(?=## )/m);
  const titled = (title) => sections.find((section) => section.startsWith(`## ${title}`));
  const found = titled(`${version} `) ?? titled(`[${version}]`) ?? titled("Unreleased");
  if (found === undefined) throw new Error(`CHANGELOG.md has no section for ${version}, and none that is unreleased`);
  return `${found.trim()}\n`;
}
