/** How `aws_kms` names things, in our own reading: the oracle shares no code with the plugin that it judges. */

/** The alias of a key. For ids of letters, digits and `-`, which are written as they are. */
export const aliasNameOf = (trustDomain: string, serverId: string, keyId: string): string =>
  `alias/SPIRE_SERVER/${trustDomain.replaceAll(".", "_")}/${serverId}/${keyId}`;
