import { addressOf, cString } from "./_memory.ts";
import { errno, libcName } from "./libc.ts";

const SYMBOLS = {
  execvp: {
    parameters: [
      "buffer", // const char *file
      "buffer", // char *const argv[]
    ],
    result: "i32",
  },
  sigaction: {
    parameters: [
      "i32", // int signum
      "buffer", // const struct sigaction *act
      "buffer", // struct sigaction *oldact
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

// <signal.h> and <errno.h>: the same numbers on Linux, macOS and the BSDs.
const SIGPIPE = 13;
const ENOENT = 2;
const EACCES = 13;

/** More than the size of `struct sigaction` anywhere (152 on Linux). */
const SIGACTION_SIZE = 256;

/** Why a program was not started. */
export interface ExecFailure {
  /**
   * - `not-found`: nothing of that name, or of that name in `PATH`
   * - `not-allowed`: it may not be run
   * - `failed`: anything else
   */
  readonly kind: "not-found" | "not-allowed" | "failed";
  /** The system's number for it (errno, GetLastError). */
  readonly code: number;
}

/**
 * Replaces this process by another program, which keeps the process id, the
 * open standard streams, the working directory and the environment. The
 * environment is handed on as the C library has it: byte for byte, with what
 * `Deno.env.set()` has changed. A name without a slash is looked for in `PATH`.
 *
 * The program gets the default action of SIGPIPE, which Deno ignores for itself
 * and would otherwise leave ignored.
 *
 * @param command The program and its arguments.
 * @returns Only if it could not be started: why.
 * @throws {Error} If the C library cannot be opened.
 *
 * @example
 * ```ts ignore
 * import { replaceProcess } from "./exec.ts";
 *
 * const { kind } = replaceProcess(["cargo", "publish"]);
 * Deno.exit(kind === "not-found" ? 127 : 126);
 * ```
 */
export function replaceProcess(
  command: readonly [string, ...string[]],
): ExecFailure {
  const { execvp, sigaction } = Deno.dlopen(libcName(), SYMBOLS).symbols;
  const reason = errno();
  const words = command.map(cString);
  const argv = new BigUint64Array(words.length + 1); // NULL at its end
  for (const [i, word] of words.entries()) {
    argv[i] = addressOf(word);
  }
  // All zeros is SIG_DFL with no flags and an empty mask.
  const byDefault = new Uint8Array(SIGACTION_SIZE);
  const before = new Uint8Array(SIGACTION_SIZE);
  sigaction(SIGPIPE, byDefault, before);
  execvp(cString(command[0]), argv);
  const code = reason.getInt32();
  sigaction(SIGPIPE, before, null);
  return {
    kind: code === ENOENT
      ? "not-found"
      : code === EACCES
      ? "not-allowed"
      : "failed",
    code,
  };
}
