import { openFunctions } from "./_functions.ts";
import { libcName } from "./libc.ts";

const SYMBOLS = {
  _exit: {
    parameters: ["i32"], // int status
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Ends this process without the exit handlers of the libraries in it, which
 * take 2 ms and may wait for a call that hangs on another thread. On Windows,
 * and without a C library that opens, it ends as with `Deno.exit()`.
 *
 * @param status The exit status.
 *
 * @example
 * ```ts no-eval
 * import { exitNow } from "./exit_now.ts";
 *
 * exitNow(0);
 * ```
 */
export function exitNow(status: number): never {
  if (Deno.build.os !== "windows") {
    try {
      openFunctions(libcName(), SYMBOLS)._exit(status);
    } catch {
      // As below.
    }
  }
  Deno.exit(status);
}
