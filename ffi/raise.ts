import { libcName } from "./libc.ts";

const SYMBOLS = {
  raise: {
    parameters: ["i32"], // int sig
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

/** A signal that {@linkcode raise} can send. */
export type RaisedSignal = "SIGHUP" | "SIGQUIT" | "SIGTERM" | "SIGTSTP";

// <signal.h>. SIGTSTP is 20 on Linux and 18 on macOS and the BSDs.
const NUMBERS: Readonly<Record<RaisedSignal, number>> = {
  SIGHUP: 1,
  SIGQUIT: 3,
  SIGTERM: 15,
  SIGTSTP: Deno.build.os === "linux" ? 20 : 18,
};

/** More than the size of `struct sigaction` anywhere (152 on Linux). */
const SIGACTION_SIZE = 256;

/**
 * Lets a signal have its default effect on this process, for a listener that
 * has done its part. It is what the kernel does, not what Deno does without a
 * listener: Deno then stops the process by SIGSTOP, which works even where
 * nothing could continue it.
 *
 * @param signal Which one.
 * @throws {Error} If the C library cannot be opened.
 */
export function raise(signal: RaisedSignal): void {
  const libc = Deno.dlopen(libcName(), SYMBOLS).symbols;
  const number = NUMBERS[signal];
  // All zeros is SIG_DFL with no flags and an empty mask.
  const byDefault = new Uint8Array(SIGACTION_SIZE);
  const before = new Uint8Array(SIGACTION_SIZE);
  libc.sigaction(number, byDefault, before);
  libc.raise(number);
  libc.sigaction(number, before, null);
}
