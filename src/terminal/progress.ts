import { printable } from "../base/printable.ts";

/** Where {@linkcode showProgress} writes, and when. */
export interface ProgressOptions {
  /**
   * Before this nothing is written. 0: it is written at once, for work during
   * which no timer runs.
   *
   * @default {1000}
   */
  readonly afterMs?: number;
  /** Whether somebody may be looking; nothing is written into a file. */
  readonly isTerminal?: boolean;
  /** Writes to standard error. */
  readonly write?: (text: string) => void;
}

const AFTER_MS = 1000;

/**
 * Says what is being waited for, if it takes long: a line on standard error,
 * if that is a terminal, which is gone when the wait is over.
 *
 * `text`: what is being done, without a final stop.
 */
export function showProgress(
  text: string,
  options: ProgressOptions = {},
): Disposable {
  const {
    afterMs = AFTER_MS,
    isTerminal = Deno.stderr.isTerminal(),
    write = writeError,
  } = options;
  if (!isTerminal) return { [Symbol.dispose]: () => {} };
  let shown = false;
  const show = (): void => {
    shown = true;
    write(`${printable(text)} ...`);
  };
  const timer = afterMs === 0 ? undefined : setTimeout(show, afterMs);
  if (timer === undefined) show();
  return {
    [Symbol.dispose](): void {
      clearTimeout(timer);
      if (shown) write("\r\x1b[K");
      shown = false;
    },
  };
}

function writeError(text: string): void {
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(text));
  } catch {
    // Closed: nobody waits to see it.
  }
}
