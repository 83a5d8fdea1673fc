/** Where a system keeps what in its `struct termios`. */
export interface TermiosLayout {
  /** The size of the whole struct. */
  readonly size: number;
  /** Where `c_lflag` is. */
  readonly localFlags: number;
  /** Where `c_cc` is. */
  readonly controlCharacters: number;
  /** The flag `ICANON` in `c_lflag`. */
  readonly ICANON: number;
  /** The flag `ECHO` in `c_lflag`. */
  readonly ECHO: number;
  /** The flag `ECHONL` in `c_lflag`. */
  readonly ECHONL: number;
  /** The index of `VMIN` in `c_cc`. */
  readonly VMIN: number;
  /** The index of `VTIME` in `c_cc`. */
  readonly VTIME: number;
}

// <asm-generic/termbits.h> and glibc's <bits/termios-struct.h>; x86-64 and
// arm64 are the same.
const LINUX: TermiosLayout = {
  size: 60,
  localFlags: 12,
  controlCharacters: 17,
  ICANON: 0x2,
  ECHO: 0x8,
  ECHONL: 0x40,
  VMIN: 6,
  VTIME: 5,
};

// <sys/termios.h> of XNU: tcflag_t and speed_t are unsigned long. The flags
// that are changed lie in the low half. Not run on macOS by these tests.
const DARWIN: TermiosLayout = {
  size: 72,
  localFlags: 24,
  controlCharacters: 32,
  ICANON: 0x100,
  ECHO: 0x8,
  ECHONL: 0x10,
  VMIN: 16,
  VTIME: 17,
};

// <sys/_termios.h> of FreeBSD: as macOS, but tcflag_t and speed_t are 32 bits
// wide. Not run on FreeBSD by these tests.
const FREEBSD: TermiosLayout = {
  ...DARWIN,
  size: 44,
  localFlags: 12,
  controlCharacters: 16,
};

/**
 * The layout of `struct termios`.
 *
 * @param os The system, as `Deno.build.os` names it.
 * @returns Its layout; `undefined` if it is not known.
 */
export function termiosLayout(
  os: typeof Deno.build.os,
): TermiosLayout | undefined {
  switch (os) {
    case "linux":
      return LINUX;
    case "darwin":
      return DARWIN;
    case "freebsd":
      return FREEBSD;
    default:
      return undefined;
  }
}

/**
 * Settings in which nothing typed appears, and every key arrives at once.
 *
 * `ICANON` goes as well as `ECHO`: a terminal that edits lines itself cuts
 * them at 4,095 bytes (Linux, termios(3)) or does not take more than 1,024
 * (macOS, `MAX_CANON`), and tokens can be longer. `ISIG` stays, so that
 * Ctrl-C and Ctrl-Z work as ever.
 *
 * @param settings A `struct termios`, which is left as it is.
 * @param layout Its layout.
 * @returns The changed copy.
 */
export function hiddenInput(
  settings: Uint8Array<ArrayBuffer>,
  layout: TermiosLayout,
): Uint8Array<ArrayBuffer> {
  const changed = settings.slice();
  const view = new DataView(changed.buffer);
  const flags = view.getUint32(layout.localFlags, true);
  view.setUint32(
    layout.localFlags,
    flags & ~(layout.ICANON | layout.ECHO | layout.ECHONL),
    true,
  );
  changed[layout.controlCharacters + layout.VMIN] = 1;
  changed[layout.controlCharacters + layout.VTIME] = 0;
  return changed;
}
