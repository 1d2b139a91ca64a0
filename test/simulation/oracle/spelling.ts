/** How `aws_kms` names things, in our own reading: the oracle shares no code with the plugin that it judges. */

const segmentOf = (trustDomain: string): string => trustDomain.replaceAll(".", "_");

/** The alias of a key. For ids of letters, digits and `-`, which are written as they are. */
export const aliasNameOf = (trustDomain: string, serverId: string, keyId: string): string =>
  `alias/SPIRE_SERVER/${segmentOf(trustDomain)}/${serverId}/${keyId}`;

/** Whether servers of the trust domain give their keys such aliases; a twin's (`a.b`, `a_b`) look the same. */
export function isAliasOfTrustDomain(aliasName: string, trustDomain: string): boolean {
  const [first, second, segment, ...rest] = aliasName.split("/");
  return (
    first === "alias" &&
    second === "SPIRE_SERVER" &&
    segment === segmentOf(trustDomain) &&
    rest.length >= 2 &&
    rest.every((part) => part !== "")
  );
}

export function isOwnAlias(aliasName: string, trustDomain: string, serverId: string): boolean {
  const parts = aliasName.split("/");
  const keyId = parts.pop() ?? "";
  return keyId !== "" && `${parts.join("/")}/${keyId}` === aliasNameOf(trustDomain, serverId, keyId);
}

/** Whose a key is by its description. `shared`: made by the built-in plugin, which twins spell alike. */
export function ownerByDescription(description: string, trustDomain: string): "own" | "shared" | "foreign" {
  if (description === `SPIRE_SERVER/${trustDomain}`) return "own";
  const [first, segment, ...rest] = description.split("/");
  const isBuiltIns = first === "SPIRE_SERVER_KEY" && segment === segmentOf(trustDomain) && rest.join("/") !== "";
  return isBuiltIns ? "shared" : "foreign";
}

/** Whether the key is of another trust domain that is written alike in aliases. */
export function isTwins(description: string, trustDomain: string): boolean {
  const [first, other = ""] = description.split("/");
  return first === "SPIRE_SERVER" && other !== trustDomain && segmentOf(other) === segmentOf(trustDomain);
}
