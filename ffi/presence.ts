import { openFunctions } from "./_functions.ts";
import { cString } from "./_memory.ts";
import { errno, libcName } from "./libc.ts";

const SYMBOLS = {
  faccessat: {
    parameters: [
      "i32", // int dirfd
      "buffer", // const char *pathname
      "i32", // int mode
      "i32", // int flags
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

// <fcntl.h> and <unistd.h> of Linux
const AT_FDCWD = -100;
const F_OK = 0;
const AT_SYMLINK_NOFOLLOW = 0x100;
/** <errno.h> */
const ENOENT = 2;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/**
 * Whether there may be something at a path; a link counts, wherever it leads.
 * `false` is certain: the system has no such entry. Deno tells that by an
 * exception, and the first one of a process takes half a millisecond.
 * Elsewhere than on Linux it always may.
 *
 * @param path The path.
 * @returns Whether it is worth a look.
 *
 * @example
 * ```ts
 * import { mayBeThere } from "./presence.ts";
 *
 * console.assert(mayBeThere("/"));
 * ```
 */
export function mayBeThere(path: string): boolean {
  if (Deno.build.os !== "linux" || path.includes("\0")) return true;
  try {
    const reason = errno();
    symbols ??= openFunctions(libcName(), SYMBOLS);
    return symbols.faccessat(
          AT_FDCWD,
          cString(path),
          F_OK,
          AT_SYMLINK_NOFOLLOW,
        ) === 0 || reason.getInt32() !== ENOENT;
  } catch {
    // No C library that opens (musl): whoever looks will see.
    return true;
  }
}
