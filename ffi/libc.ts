import { openFunctions } from "./_functions.ts";

/**
 * The C library's name for `dlopen`.
 *
 * @returns What `Deno.dlopen` takes on this system.
 * @throws {Deno.errors.NotSupported} On a system whose name is not known.
 */
export function libcName(): string {
  switch (Deno.build.os) {
    case "linux":
      return "libc.so.6";
    case "darwin":
      // The whole path: for a bare name dyld may look into the working
      // directory (dlopen(3) of macOS). Not run on macOS by these tests.
      return "/usr/lib/libSystem.B.dylib";
    case "freebsd":
      return "libc.so.7";
    default:
      throw new Deno.errors.NotSupported(
        `The C library of ${Deno.build.os} is not known`,
      );
  }
}

const SYMBOLS = {
  errnoLocation: {
    // int *__errno_location(void), <errno.h> of glibc;
    // int *__error(void) on macOS and FreeBSD
    name: Deno.build.os === "linux" ? "__errno_location" : "__error",
    parameters: [],
    result: "pointer",
  },
} as const satisfies Deno.ForeignLibraryInterface;

let errnoView: Deno.UnsafePointerView | undefined;

/**
 * The calling thread's `errno`: `errno().getInt32()`, read right after a call
 * that is not `nonblocking` (such a call runs on another thread). Get the view
 * before the call: getting it the first time opens the C library, which may
 * set `errno` itself.
 *
 * @returns A view of `errno`.
 * @throws {Error} If the C library cannot be opened.
 */
export function errno(): Deno.UnsafePointerView {
  if (errnoView === undefined) {
    const location = openFunctions(libcName(), SYMBOLS).errnoLocation();
    if (location === null) throw new TypeError("errno has no address");
    errnoView = new Deno.UnsafePointerView(location);
  }
  return errnoView;
}
