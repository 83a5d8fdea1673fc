/**
 * The time that a request has: one for everything that it does. It can be
 * moved, because whether a person is there to answer a dialog is looked at
 * only when something takes long.
 */
export class Deadline {
  readonly #controller = new AbortController();
  #at: number;
  #timer: ReturnType<typeof setTimeout>;

  /**
   * Starts the time.
   *
   * @param milliseconds How long from now.
   */
  constructor(milliseconds: number) {
    this.#at = performance.now() + milliseconds;
    this.#timer = this.#start();
  }

  #start(): ReturnType<typeof setTimeout> {
    return setTimeout(() => this.#controller.abort(), this.remaining);
  }

  /** Aborted when the time is up. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Milliseconds that are left; 0 when the time is up. */
  get remaining(): number {
    return Math.max(0, this.#at - performance.now());
  }

  /**
   * Moves the end. A deadline that has passed stays passed.
   *
   * @param milliseconds How long from now.
   */
  restart(milliseconds: number): void {
    clearTimeout(this.#timer);
    if (this.signal.aborted) return;
    this.#at = performance.now() + milliseconds;
    this.#timer = this.#start();
  }

  /** Lets the process end: the work is done. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
