/**
 * The time that a request has: one for everything that it does. It can be
 * moved, because whether a person is there to answer a dialog is looked at
 * only when something takes long.
 *
 * It is made of `AbortSignal.timeout()`: the first `setTimeout()` of a process
 * loads Node's timers, which takes a third of an empty program's time. Such a
 * timer keeps no process alive; what is being waited for does.
 */
export class Deadline {
  readonly #controller = new AbortController();
  #timer: AbortSignal | undefined;
  #at = Infinity;

  /** Starts the time; without any it starts with {@linkcode restart}. */
  constructor(milliseconds?: number) {
    if (milliseconds !== undefined) this.restart(milliseconds);
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds that are left; 0 when the time is up. */
  get remaining(): number {
    return Math.max(0, this.#at - performance.now());
  }

  /** Moves the end. A deadline that has passed stays passed. */
  restart(milliseconds: number): void {
    if (this.signal.aborted) return;
    this.#at = performance.now() + milliseconds;
    const timer = AbortSignal.timeout(milliseconds);
    timer.addEventListener("abort", () => {
      if (timer === this.#timer) this.#controller.abort();
    });
    this.#timer = timer;
  }

  /** Stops the time: the work is done. */
  [Symbol.dispose](): void {
    this.#timer = undefined;
  }
}
