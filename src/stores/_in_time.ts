/**
 * What calls answer; `undefined` once the signal is aborted, even if a call
 * does not come back. A token that comes too late for anyone to take it is
 * wiped.
 */
export async function inTime<T extends { readonly kind: string }>(
  signal: AbortSignal,
  running: Promise<T>,
): Promise<T | undefined> {
  const aborted = Promise.withResolvers<undefined>();
  const abort = (): void => aborted.resolve(undefined);
  if (signal.aborted) abort();
  else signal.addEventListener("abort", abort, { once: true });
  try {
    const answer = await Promise.race([aborted.promise, running]);
    if (answer === undefined) running.then(forget, () => {});
    return answer;
  } finally {
    signal.removeEventListener("abort", abort);
  }
}

function forget(
  answer: {
    readonly kind: string;
    readonly token?: { readonly wipe: () => void };
  },
): void {
  answer.token?.wipe();
}
