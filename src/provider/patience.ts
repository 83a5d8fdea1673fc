import type { Deadline } from "../deadline.ts";

/** When a person is told what is being waited for. */
const SILENCE_MILLISECONDS = 2_000;

/** What {@linkcode Patience} needs to know. */
export interface PatienceOptions {
  /** How long with nobody present, in milliseconds. */
  readonly timeoutMs: number;
  /** How long with a person present, in milliseconds. */
  readonly promptTimeoutMs: number;
  /** Whether somebody is present. */
  readonly isPersonPresent: () => Promise<boolean>;
  /** Tells that somebody what is being waited for. */
  readonly tell: (seconds: number) => Promise<void>;
}

/**
 * Gives a request its time. It runs as if nobody were present; only when
 * something takes long it is looked whether somebody is, and then there is
 * more of it.
 */
export class Patience implements Disposable {
  readonly #timer: ReturnType<typeof setTimeout>;

  /**
   * Starts the time.
   *
   * @param deadline What is given the time.
   * @param options How long, and for whom.
   */
  constructor(deadline: Deadline, options: PatienceOptions) {
    const { timeoutMs, promptTimeoutMs } = options;
    deadline.restart(timeoutMs);
    const silence = Math.min(SILENCE_MILLISECONDS, timeoutMs * 2 / 3);
    this.#timer = setTimeout(async () => {
      if (!await options.isPersonPresent()) return;
      deadline.restart(promptTimeoutMs - silence);
      await options.tell(Math.round(deadline.remaining / 1000));
    }, silence);
  }

  /** Nothing is being waited for any more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }
}
