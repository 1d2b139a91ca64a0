/** An inventory of tens of thousands of keys runs beside a certificate authority: it takes its time rather than memory. */
import { setFlagsFromString } from "node:v8";

/** For this process: garbage is collected early instead of letting the heap grow. */
export function keepHeapSmall(): void {
  setFlagsFromString("--optimize-for-size");
  setFlagsFromString("--semi-space-growth-factor=1");
}
