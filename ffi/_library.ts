import { openFunctions } from "./_functions.ts";
import { cString } from "./_memory.ts";

/** The libraries of the Secret Service's bindings, as pkg-config names them. */
export type GnomeLibrary = "secret-1" | "glib-2.0" | "gobject-2.0" | "gio-2.0";

/** A shared library that cannot be opened, or lacks a function. */
export class LibraryError extends Error {
  /** `LibraryError` */
  override readonly name = "LibraryError";
  /** Which one, such as `libsecret-1`. */
  readonly library: string;

  /**
   * Makes the error.
   *
   * @param library Which one, such as `libsecret-1`.
   * @param options The dynamic linker's own words, as `cause`.
   */
  constructor(library: string, options?: ErrorOptions) {
    super(`The library ${library} cannot be used`, options);
    this.library = library;
  }
}

/**
 * What `dlopen` may take for a library, in the order to try. They are bare
 * names, so that the system's own search finds the file and never the working
 * directory.
 *
 * FreeBSD and NetBSD number the ports as upstream does. OpenBSD's ld.so(1)
 * numbers them itself and takes a name without a version for the newest.
 *
 * @param library The library.
 * @param os The operating system, as `Deno.build.os` names it.
 * @returns The names; none on a system that has no such library.
 */
export function libraryNames(
  library: GnomeLibrary,
  os: string,
): readonly string[] {
  switch (os) {
    case "linux":
      return [`lib${library}.so.0`];
    case "freebsd":
    case "netbsd":
      return [`lib${library}.so.0`, `lib${library}.so`];
    case "openbsd":
      return [`lib${library}.so`];
    default:
      return [];
  }
}

/**
 * Opens a library.
 *
 * @param library The library.
 * @param symbols What is called in it.
 * @returns Its functions.
 * @throws {LibraryError} If it is missing, or one of the functions is.
 */
export function openLibrary<const S extends Deno.ForeignLibraryInterface>(
  library: GnomeLibrary,
  symbols: S,
): Deno.DynamicLibrary<S>["symbols"] {
  return open(library, symbols).symbols;
}

function open<const S extends Deno.ForeignLibraryInterface>(
  library: GnomeLibrary,
  symbols: S,
): {
  readonly name: string;
  readonly symbols: Deno.DynamicLibrary<S>["symbols"];
} {
  let cause: unknown;
  for (const name of libraryNames(library, Deno.build.os)) {
    try {
      return { name, symbols: openFunctions(name, symbols) };
    } catch (error) {
      cause = error;
    }
  }
  cause ??= new Error(`${Deno.build.os} has no such library`);
  throw new LibraryError(`lib${library}`, { cause });
}

const LOADER = {
  dlopen: {
    parameters: [
      "buffer", // const char *file
      "i32", // int mode
    ],
    result: "pointer", // void *
    // Part of the C library since glibc 2.34: dlsym(3) finds it through a
    // library's dependencies.
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

const RTLD_LAZY = 1;

/**
 * Keeps a library loaded until the process ends. Deno closes the libraries of
 * a worker, or of a test module, that ends; a library that registers types
 * with GLib cannot be loaded a second time: the next call hangs
 * (rust-lang/cargo#15603).
 *
 * @param library The library.
 * @throws {LibraryError} If it is missing.
 */
export function pinLibrary(library: GnomeLibrary): void {
  const { name, symbols } = open(library, LOADER);
  symbols.dlopen?.(cString(name), RTLD_LAZY);
}
