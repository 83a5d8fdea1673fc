import { cString } from "./_memory.ts";
import { errno, libcName } from "./libc.ts";
import {
  hiddenInput,
  type TermiosLayout,
  termiosLayout,
} from "./terminal_settings.ts";

/** <fcntl.h>, <errno.h> and <termios.h> of the systems whose layout is known. */
interface Constants {
  readonly O_NOCTTY: number;
  readonly O_NONBLOCK: number;
  readonly O_CLOEXEC: number;
  readonly EAGAIN: number;
  readonly EINTR: number;
  readonly TCIFLUSH: number;
}

const O_RDWR = 2;
const TCSANOW = 0;

const LINUX: Constants = {
  O_NOCTTY: 0o400,
  O_NONBLOCK: 0o4000,
  O_CLOEXEC: 0o2000000,
  EAGAIN: 11,
  EINTR: 4,
  TCIFLUSH: 0,
};

// Not run on macOS and FreeBSD by these tests.
const DARWIN: Constants = {
  O_NOCTTY: 0x20000,
  O_NONBLOCK: 0x4,
  O_CLOEXEC: 0x1000000,
  EAGAIN: 35,
  EINTR: 4,
  TCIFLUSH: 1,
};

const FREEBSD: Constants = {
  ...DARWIN,
  O_NOCTTY: 0x8000,
  O_CLOEXEC: 0x100000,
};

function constants(): Constants {
  if (Deno.build.os === "linux") return LINUX;
  return Deno.build.os === "darwin" ? DARWIN : FREEBSD;
}

// Two tables: most programs only want to know whether somebody is there.
const LOOK_SYMBOLS = {
  open: {
    parameters: [
      "buffer", // const char *path
      "i32", // int flags
    ],
    result: "i32",
  },
  close: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  tcgetpgrp: {
    parameters: ["i32"], // int fd
    result: "i32",
  },
  getpgrp: {
    parameters: [],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

const TALK_SYMBOLS = {
  read: {
    parameters: [
      "i32", // int fd
      "buffer", // void *buf
      "usize", // size_t count
    ],
    result: "isize",
  },
  write: {
    parameters: [
      "i32", // int fd
      "buffer", // const void *buf
      "usize", // size_t count
    ],
    result: "isize",
  },
  tcgetattr: {
    parameters: [
      "i32", // int fd
      "buffer", // struct termios *termios_p
    ],
    result: "i32",
  },
  tcsetattr: {
    parameters: [
      "i32", // int fd
      "i32", // int optional_actions
      "buffer", // const struct termios *termios_p
    ],
    result: "i32",
  },
  tcflush: {
    parameters: [
      "i32", // int fd
      "i32", // int queue_selector
    ],
    result: "i32",
  },
} as const satisfies Deno.ForeignLibraryInterface;

type LookCalls = Deno.DynamicLibrary<typeof LOOK_SYMBOLS>["symbols"];
type TalkCalls = Deno.DynamicLibrary<typeof TALK_SYMBOLS>["symbols"];

let lookCalls: LookCalls | undefined;
let talkCalls: TalkCalls | undefined;

function look(): LookCalls {
  return lookCalls ??= Deno.dlopen(libcName(), LOOK_SYMBOLS).symbols;
}

function talk(): TalkCalls {
  return talkCalls ??= Deno.dlopen(libcName(), TALK_SYMBOLS).symbols;
}

/** What {@linkcode ControllingTerminal.read} answers. */
export type TerminalRead =
  /** This many bytes were read. */
  | { readonly kind: "bytes"; readonly length: number }
  /** Nothing has been typed yet. */
  | { readonly kind: "nothing-yet" }
  /** The terminal has gone away, or gave an end of input. */
  | { readonly kind: "end" };

/**
 * The controlling terminal of this process, `/dev/tty`.
 *
 * It is opened so that no call waits. poll(2) is not used: on macOS it does
 * not support devices (its manual page, BUGS).
 *
 * @example Read a line without echo
 * ```ts
 * import { ControllingTerminal } from "./controlling_terminal.ts";
 *
 * using terminal = ControllingTerminal.open();
 * if (terminal?.isForeground) {
 *   terminal.hideInput();
 *   terminal.write(new TextEncoder().encode("Password: "));
 *   // terminal.read(buffer) every now and then
 *   terminal.restore();
 * }
 * ```
 */
export class ControllingTerminal implements Disposable {
  readonly #fd: number;
  readonly #layout: TermiosLayout;
  /** The settings to go back to, once they have been changed. */
  #original: Uint8Array<ArrayBuffer> | undefined;

  private constructor(fd: number, layout: TermiosLayout) {
    this.#fd = fd;
    this.#layout = layout;
  }

  /**
   * Opens the controlling terminal.
   *
   * @returns The terminal; `undefined` if this process has none.
   * @throws {Error} If the C library cannot be opened.
   */
  static open(): ControllingTerminal | undefined {
    const layout = termiosLayout(Deno.build.os);
    if (layout === undefined) return undefined;
    const { O_NOCTTY, O_NONBLOCK, O_CLOEXEC } = constants();
    const fd = look().open(
      cString("/dev/tty"),
      O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC,
    );
    return fd < 0 ? undefined : new ControllingTerminal(fd, layout);
  }

  /**
   * Whether our process group is the terminal's foreground group. One that is
   * not is stopped, all of it, when it reads from the terminal or changes its
   * settings.
   */
  get isForeground(): boolean {
    return look().tcgetpgrp(this.#fd) === look().getpgrp();
  }

  /**
   * Stops what is typed from appearing, and throws away what was typed before.
   * Call it in the foreground only.
   *
   * @returns Whether the terminal took the settings.
   */
  hideInput(): boolean {
    if (this.#original === undefined) {
      const settings = new Uint8Array(this.#layout.size);
      if (talk().tcgetattr(this.#fd, settings) !== 0) return false;
      this.#original = settings;
    }
    return this.#apply(hiddenInput(this.#original, this.#layout));
  }

  /**
   * Puts the settings back that were found, if they have been changed, and
   * throws away what is typed and not read: half a password must not become
   * the next program's input. Call it in the foreground only.
   *
   * @returns Whether the terminal took the settings.
   */
  restore(): boolean {
    return this.#original === undefined || this.#apply(this.#original);
  }

  /**
   * TCSAFLUSH in two steps: by itself it would also wait for the output, which
   * Ctrl-S may have stopped.
   */
  #apply(settings: Uint8Array<ArrayBuffer>): boolean {
    const applied = talk().tcsetattr(this.#fd, TCSANOW, settings) === 0;
    talk().tcflush(this.#fd, constants().TCIFLUSH);
    return applied;
  }

  /**
   * Reads what has been typed, without waiting. Call it in the foreground
   * only.
   *
   * @param buffer Where to put it.
   * @returns How many bytes there were, or why there are none.
   */
  read(buffer: Uint8Array<ArrayBuffer>): TerminalRead {
    const reason = errno();
    const length = talk().read(this.#fd, buffer, BigInt(buffer.length));
    if (length > 0n) return { kind: "bytes", length: Number(length) };
    return length < 0n && mayTryAgain(reason)
      ? { kind: "nothing-yet" }
      : { kind: "end" };
  }

  /**
   * Writes as much as the terminal takes now.
   *
   * @param bytes What to write.
   * @returns How many bytes were written; `undefined` if the terminal has gone
   * away.
   */
  write(bytes: Uint8Array<ArrayBuffer>): number | undefined {
    const reason = errno();
    const length = talk().write(this.#fd, bytes, BigInt(bytes.length));
    if (length >= 0n) return Number(length);
    return mayTryAgain(reason) ? 0 : undefined;
  }

  /** Closes it, with the settings as they are. */
  [Symbol.dispose](): void {
    look().close(this.#fd);
  }
}

function mayTryAgain(reason: Deno.UnsafePointerView): boolean {
  const number = reason.getInt32();
  const { EAGAIN, EINTR } = constants();
  return number === EAGAIN || number === EINTR;
}
