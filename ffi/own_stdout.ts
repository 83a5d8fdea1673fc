import { openFunctions } from "./_functions.ts";
import { errno, libcName } from "./libc.ts";

const SYMBOLS = {
  dup: {
    parameters: ["i32"], // int oldfd
    result: "i32",
  },
  dup2: {
    parameters: [
      "i32", // int oldfd
      "i32", // int newfd
    ],
    result: "i32",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "usize", // size_t count
    ],
    result: "isize", // ssize_t
  },
} as const satisfies Deno.ForeignLibraryInterface;

const CLOSE_SYMBOLS = {
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const STDOUT = 1;
const STDERR = 2;

// <errno.h>
const EINTR = 4;
const EPIPE = 32;
const EAGAIN = Deno.build.os === "linux" ? 11 : 35;

/** How long a full pipe is left alone. */
const FULL_PIPE_MS = 5;

/** What writes to the standard output that the program was started with. */
export interface OwnStdout {
  /** Whether it is a terminal. */
  readonly isTerminal: boolean;
  /**
   * Writes some of the bytes, and waits until it can.
   *
   * @param bytes What to write.
   * @returns How many were written.
   * @throws {Deno.errors.BrokenPipe} If nobody reads any more.
   * @throws {Error} If the system does not take them.
   */
  writeSync(bytes: Uint8Array<ArrayBuffer>): number;
  /**
   * Makes it everybody's standard output again, for a program that takes this
   * process over. Nothing can be written here afterwards.
   */
  giveBack(): void;
}

/**
 * Takes standard output for the caller alone: everybody else who writes to
 * descriptor 1, such as GLib with `G_MESSAGES_DEBUG` set, writes to standard
 * error from now on. To be called once, before the first library is opened.
 *
 * On Windows nothing is done: the libraries that are opened there are the
 * system's own, which write nothing.
 *
 * @returns The standard output that there was.
 * @throws {Error} If the C library cannot be opened, or has no descriptor left.
 *
 * @example
 * ```ts no-eval
 * import { takeStdout } from "./own_stdout.ts";
 *
 * takeStdout().writeSync(new TextEncoder().encode("{}\n"));
 * ```
 */
export function takeStdout(): OwnStdout {
  if (Deno.build.os === "windows") return SHARED_STDOUT;
  const libc = openFunctions(libcName(), SYMBOLS);
  const isTerminal = Deno.stdout.isTerminal();
  const fd = libc.dup(STDOUT);
  if (fd < 0 || libc.dup2(STDERR, STDOUT) < 0) {
    throw new Error("standard output cannot be taken");
  }
  return {
    isTerminal,
    writeSync(bytes: Uint8Array<ArrayBuffer>): number {
      const write = (): number =>
        Number(libc.write(fd, bytes, BigInt(bytes.length)));
      let written = write();
      if (written >= 0) return written;
      // Opening errno may change it: what has failed is tried again.
      const error = errno();
      while ((written = write()) < 0) {
        const code = error.getInt32();
        if (code === EINTR) continue;
        if (code === EPIPE) throw new Deno.errors.BrokenPipe();
        if (code !== EAGAIN) {
          throw new Error(`standard output fails (os error ${code})`);
        }
        pause(FULL_PIPE_MS);
      }
      return written;
    },
    giveBack(): void {
      libc.dup2(fd, STDOUT);
      openFunctions(libcName(), CLOSE_SYMBOLS).close(fd);
    },
  };
}

/** Standard output as it is. */
export const SHARED_STDOUT: OwnStdout = {
  get isTerminal() {
    return Deno.stdout.isTerminal();
  },
  writeSync: (bytes) => Deno.stdout.writeSync(bytes),
  giveBack: () => {},
};

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}
