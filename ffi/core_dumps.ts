import { openFunctions } from "./_functions.ts";
import { libcName } from "./libc.ts";

const RLIMIT_SYMBOLS = {
  setrlimit: {
    parameters: [
      "i32", // int resource
      "buffer", // const struct rlimit *rlim
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const PRCTL_SYMBOLS = {
  prctl: {
    parameters: [
      "i32", // int option
      "u64", // unsigned long arg2
      "u64", // unsigned long arg3
      "u64", // unsigned long arg4
      "u64", // unsigned long arg5
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** <sys/resource.h>; 4 on Linux, macOS and FreeBSD. */
const RLIMIT_CORE = 4;
/** <sys/prctl.h> */
const PR_SET_DUMPABLE = 4;

/**
 * Keeps the memory of this process, which may hold secrets, out of core files.
 * On Linux a core that is piped to a program ignores `RLIMIT_CORE` (core(5)),
 * so the process is made not dumpable, which also keeps other processes of the
 * same user from reading its memory (ptrace(2)). Elsewhere the limit on the
 * size of core files becomes 0. On Windows nothing is done.
 *
 * @returns Whether the system took it.
 * @throws {Error} If the C library cannot be opened.
 *
 * @example
 * ```ts ignore
 * import { forbidCoreDumps } from "./core_dumps.ts";
 *
 * forbidCoreDumps();
 * ```
 */
export function forbidCoreDumps(): boolean {
  switch (Deno.build.os) {
    case "linux": {
      const { prctl } = openFunctions(libcName(), PRCTL_SYMBOLS);
      return prctl(PR_SET_DUMPABLE, 0n, 0n, 0n, 0n) === 0;
    }
    case "darwin":
    case "freebsd": {
      // Not run by these tests. struct rlimit is two rlim_t of 64 bits.
      const { setrlimit } = openFunctions(libcName(), RLIMIT_SYMBOLS);
      return setrlimit(RLIMIT_CORE, new BigUint64Array(2)) === 0;
    }
    default:
      return false;
  }
}
