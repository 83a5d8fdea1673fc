/** A median, and where it lies in 95 of 100 other such series. */
export interface Span {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** How many series are drawn from one. */
const DRAWN = 1000;

/** The middle of some numbers, `NaN` of none. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const high = sorted[Math.floor(half)] ?? NaN;
  const low = sorted[Math.ceil(half) - 1] ?? NaN;
  return (low + high) / 2;
}

/**
 * How much more one thing takes than another: the median of the ratios of what
 * was measured in the same round. How far it can be trusted is worked out by
 * drawing from the rounds (bootstrap).
 */
export function ratio(
  values: readonly number[],
  others: readonly number[],
): Span {
  const ratios = values.map((value, i) => value / (others[i] ?? NaN));
  const drawn = Array.from(
    { length: DRAWN },
    () =>
      median(
        ratios.map(() =>
          ratios[Math.floor(Math.random() * ratios.length)] ?? NaN
        ),
      ),
  ).sort((a, b) => a - b);
  return {
    middle: median(ratios),
    low: drawn[Math.floor(DRAWN * 0.025)] ?? NaN,
    high: drawn[Math.floor(DRAWN * 0.975)] ?? NaN,
  };
}
