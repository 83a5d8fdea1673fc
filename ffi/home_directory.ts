import { copyBytes, readCString } from "./_memory.ts";
import { libcName } from "./libc.ts";

const SYMBOLS = {
  getpwuid: {
    parameters: ["u32"], // uid_t uid
    result: "pointer",
    // It may ask a directory service.
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/**
 * Where `pw_dir` is in `struct passwd`, <pwd.h>: macOS and FreeBSD have
 * `pw_change` and `pw_class` in front of it. Not run there by these tests.
 */
const PW_DIR = Deno.build.os === "linux" ? 32 : 48;

/**
 * The home directory that the user database (Windows: the known folder
 * Profile) has for this user: what `std::env::home_dir` of Rust, and so cargo,
 * falls back to without `HOME` or `USERPROFILE`.
 *
 * @returns The directory; `undefined` if the system does not know the user.
 * @throws {Error} If the system's library cannot be opened.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { homeDirectory } from "./home_directory.ts";
 *
 * assert(await homeDirectory() !== undefined);
 * ```
 */
export async function homeDirectory(): Promise<string | undefined> {
  if (Deno.build.os === "windows") {
    const { knownFolder } = await import("./shell32.ts");
    return knownFolder("Profile");
  }
  const uid = Deno.uid();
  if (uid === null) return undefined;
  const { getpwuid } = Deno.dlopen(libcName(), SYMBOLS).symbols;
  const entry = await getpwuid(uid);
  if (entry === null) return undefined;
  const address = new DataView(copyBytes(entry, PW_DIR + 8).buffer)
    .getBigUint64(PW_DIR, true);
  return readCString(Deno.UnsafePointer.create(address));
}
