/** For the tests of types, which nothing runs: `tsc --noEmit` passes or fails. */

/** `true` if both types are the same, not only assignable to each other. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles for `Expect<true>` only. */
export type Expect<T extends true> = T;
