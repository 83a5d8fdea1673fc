/** Looks once, when it is first asked, and gives the same result from then on. */
export function once<T>(look: () => T): () => T {
  let looked: { readonly value: T } | undefined;
  return () => (looked ??= { value: look() }).value;
}
