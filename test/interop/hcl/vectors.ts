import { readFile, writeFile } from "node:fs/promises";
import type { TypedValue } from "./go-reference.ts";

/** What hcl1 v1.0.1-vault-7 made of a sample; without `decoded` it refused. */
export interface Vector {
  readonly text: string;
  readonly decoded?: TypedValue;
}

const file = new URL("hcl1-vectors.json", import.meta.url);

export async function readVectors(): Promise<Vector[]> {
  const vectors: Vector[] = JSON.parse(await readFile(file, "utf8"));
  return vectors;
}

export async function writeVectors(vectors: readonly Vector[]): Promise<void> {
  await writeFile(file, `[\n${vectors.map((vector) => JSON.stringify(vector)).join(",\n")}\n]\n`);
}
