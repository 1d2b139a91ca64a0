/** Jobs in the background, some at once, in the order in which they were added. The first that fails ends all that wait. */
export class BackgroundJobs {
  readonly #atOnce: number;
  readonly #queue: (() => Promise<void>)[] = [];
  readonly #drained: (() => void)[] = [];
  #underWay = 0;
  #failure: { readonly error: unknown } | undefined;

  constructor(atOnce: number) {
    this.#atOnce = atOnce;
  }

  get waiting(): number {
    return this.#queue.length + this.#underWay;
  }

  add(job: () => Promise<void>): void {
    this.#queue.push(job);
    if (this.#underWay < this.#atOnce) void this.#work();
  }

  /** @throws what stopped them */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** Resolves when all that was added is done. @throws what stopped them */
  async drain(): Promise<void> {
    if (this.#underWay > 0) await new Promise<void>((resolve) => this.#drained.push(resolve));
    this.check();
  }

  async #work(): Promise<void> {
    this.#underWay++;
    try {
      for (let job = this.#queue.shift(); job !== undefined; job = this.#queue.shift()) await job();
    } catch (error) {
      this.#failure ??= { error };
      this.#queue.length = 0;
    } finally {
      this.#underWay--;
      if (this.#underWay === 0) for (const resolve of this.#drained.splice(0)) resolve();
    }
  }
}
