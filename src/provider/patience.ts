import type { Deadline } from "../base/deadline.ts";

/** When a person is told what is being waited for. */
const SILENCE_MS = 2_000;

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
  #over = false;

  /** Starts the time. */
  constructor(deadline: Deadline, options: PatienceOptions) {
    const { timeoutMs, promptTimeoutMs } = options;
    deadline.restart(timeoutMs);
    const silence = Math.floor(
      Math.min(SILENCE_MS, timeoutMs * 2 / 3),
    );
    const ask = async (): Promise<void> => {
      if (this.#over || !await options.isPersonPresent()) return;
      if (this.#over || deadline.signal.aborted) return;
      deadline.restart(Math.max(timeoutMs, promptTimeoutMs) - silence);
      await options.tell(Math.round(deadline.remaining / 1000));
    };
    AbortSignal.timeout(silence).addEventListener("abort", () => {
      // Nobody awaits this: a rejection would end the process.
      ask().catch(() => {});
    });
  }

  /** Nothing is being waited for any more. */
  [Symbol.dispose](): void {
    this.#over = true;
  }
}
