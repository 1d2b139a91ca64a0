/** Whose turn it is among servers that do not talk to each other: each works it out from the same names, and no two rounds begin with the same one. */
import { createHash } from "node:crypto";

/** Where a server stands in a round: the lowest comes first. Rendezvous hashing, so that one more or less moves no other. */
export function placeInRound(round: string, server: string): string {
  return createHash("sha256").update(`${round}\0${server}`).digest("hex");
}

/** The servers that come before `own` in this round, the first one first. */
export function predecessors(round: string, own: string, servers: Iterable<string>): readonly string[] {
  const ownPlace = placeInRound(round, own);
  return [...servers]
    .map((server) => ({ server, place: placeInRound(round, server) }))
    .filter(({ server, place }) => server !== own && place < ownPlace)
    .sort((a, b) => (a.place < b.place ? -1 : 1))
    .map(({ server }) => server);
}
