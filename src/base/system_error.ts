/**
 * What the operating system calls an error. Deno gives an error a `code` only
 * if its table has one (`ext/node`'s: EDQUOT, EFBIG and ESTALE are not in it);
 * the others keep the system's number in their text, as Rust writes it:
 * `ENOSPC`, or a number such as `122`; `undefined` for what no system call has
 * thrown.
 */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if ("code" in error && typeof error.code === "string") return error.code;
  return /\(os error (\d+)\)/.exec(error.message)?.[1];
}
