import { wideString } from "./_wide_string.ts";

/**
 * kernel32.dll and advapi32.dll are among the DLLs that Windows takes from
 * System32 alone, whatever the search path is (Microsoft: "Dynamic-link library
 * search order", known DLLs).
 */
const LIBRARY = "kernel32.dll";

const LAST_ERROR = {
  GetLastError: {
    parameters: [],
    result: "u32", // DWORD
  },
} as const satisfies Deno.ForeignLibraryInterface;

const DRIVES = {
  GetVolumePathNameW: {
    parameters: [
      "buffer", // LPCWSTR lpszFileName
      "buffer", // LPWSTR lpszVolumePathName
      "u32", // DWORD cchBufferLength
    ],
    result: "i32", // BOOL
    // Another machine may never answer.
    nonblocking: true,
  },
  GetDriveTypeW: {
    parameters: ["buffer"], // LPCWSTR lpRootPathName
    result: "u32", // UINT
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** An error of the Windows API's. */
export class Win32Error extends Error {
  /** `Win32Error` */
  override readonly name: string = "Win32Error";
  /**
   * The code, as Microsoft's "System Error Codes" list it; 0 if none was to be
   * had.
   */
  readonly code: number;

  /**
   * @param operation The function that failed.
   * @param code The code.
   */
  constructor(operation: string, code: number) {
    super(`${operation} failed (os error ${code})`);
    this.code = code;
  }
}

let opened: (() => number) | undefined;

/**
 * The function that tells the last error of this thread. Deno does not save
 * that code, and nearly everything it does in between changes it. So:
 *
 * - get the function, and every buffer, before the call that may fail
 * - make that call synchronous (others run on another thread)
 * - call the function next, with nothing in between
 *
 * @returns `GetLastError`.
 * @throws {Error} If this is not Windows.
 */
export function lastError(): () => number {
  if (opened === undefined) {
    const { GetLastError } = Deno.dlopen(LIBRARY, LAST_ERROR).symbols;
    // What the first call loads must not come between.
    GetLastError();
    opened = GetLastError;
  }
  return opened;
}

/** `DRIVE_FIXED`, GetDriveTypeW. */
const DRIVE_FIXED = 3;

/**
 * Whether a path is on a disk of this machine: not on another one's, and on
 * nothing that can be pulled out. It may take for ever where another machine
 * does not answer; the process can end all the same.
 *
 * @param path An absolute path of something that is there.
 * @returns `false` for a network drive, a removable one, and where Windows
 * does not tell.
 * @throws {Error} If this is not Windows.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { isFixedDrive } from "./kernel32.ts";
 *
 * if (Deno.build.os === "windows") assert(await isFixedDrive("C:\\Windows"));
 * ```
 */
export async function isFixedDrive(path: string): Promise<boolean> {
  const { GetVolumePathNameW, GetDriveTypeW } =
    Deno.dlopen(LIBRARY, DRIVES).symbols;
  const file = wideString(path);
  // The volume's path is never longer than the whole; MAX_PATH at least.
  const volume = new Uint16Array(Math.max(file.length + 1, 261));
  return await GetVolumePathNameW(file, volume, volume.length) !== 0 &&
    await GetDriveTypeW(volume) === DRIVE_FIXED;
}
