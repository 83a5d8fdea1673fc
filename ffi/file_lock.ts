import { wideString } from "./_wide_string.ts";
import { lastError, Win32Error } from "./kernel32.ts";

/** One of the known DLLs: always the one in System32. */
const LIBRARY = "kernel32.dll";

const SYMBOLS = {
  CreateFileW: {
    parameters: [
      "buffer", // LPCWSTR lpFileName
      "u32", // DWORD dwDesiredAccess
      "u32", // DWORD dwShareMode
      "pointer", // LPSECURITY_ATTRIBUTES lpSecurityAttributes
      "u32", // DWORD dwCreationDisposition
      "u32", // DWORD dwFlagsAndAttributes
      "pointer", // HANDLE hTemplateFile
    ],
    result: "isize", // HANDLE
  },
  LockFileEx: {
    parameters: [
      "isize", // HANDLE hFile
      "u32", // DWORD dwFlags
      "u32", // DWORD dwReserved
      "u32", // DWORD nNumberOfBytesToLockLow
      "u32", // DWORD nNumberOfBytesToLockHigh
      "buffer", // LPOVERLAPPED lpOverlapped
    ],
    result: "i32", // BOOL
  },
  UnlockFileEx: {
    parameters: [
      "isize", // HANDLE hFile
      "u32", // DWORD dwReserved
      "u32", // DWORD nNumberOfBytesToUnlockLow
      "u32", // DWORD nNumberOfBytesToUnlockHigh
      "buffer", // LPOVERLAPPED lpOverlapped
    ],
    result: "i32", // BOOL
  },
  CloseHandle: {
    parameters: ["isize"], // HANDLE hObject
    result: "i32", // BOOL
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let opened: Calls | undefined;

function kernel32(): Calls {
  return opened ??= Deno.dlopen(LIBRARY, SYMBOLS).symbols;
}

// <winnt.h>, <fileapi.h>, <minwinbase.h>, <handleapi.h>
const READ_WRITE = 0xc000_0000;
const SHARE_READ_WRITE = 3;
const OPEN_EXISTING = 3;
const FAIL_IMMEDIATELY = 1;
const EXCLUSIVE = 2;
const INVALID_HANDLE = -1n;

/** "The process cannot access the file because another process has locked it" */
const ERROR_LOCK_VIOLATION = 33;

/** `OVERLAPPED` on 64-bit Windows: the offset is at 16. */
const OVERLAPPED_SIZE = 32;
const OFFSET = 16;

/** Far behind the end of any file, and inside of what a whole lock covers. */
const BYTE = 2n ** 62n;

/**
 * A lock on a file that excludes every lock on the whole of it, such as cargo's
 * and `Deno.FsFile.lock()`, and leaves the file readable.
 *
 * Locks of Windows are mandatory: nobody can read or write what is locked
 * through another handle, not even the process that has the lock (LockFileEx).
 * So only one byte is locked, which lies behind the end of the file: locks of
 * the whole file cover it, too.
 */
export class WindowsFileLock implements Disposable {
  readonly #handle: bigint;

  private constructor(handle: bigint) {
    this.#handle = handle;
  }

  /**
   * Takes the lock, without waiting. As long as it is held, nobody can delete
   * or rename the file.
   *
   * @param path An existing file.
   * @returns The lock; `undefined` if somebody else has one.
   * @throws {Win32Error} If the file cannot be opened or locked.
   * @throws {Error} If this is not Windows.
   *
   * @example
   * ```ts
   * import { WindowsFileLock } from "./file_lock.ts";
   *
   * function whileLocked(path: string, use: () => void): boolean {
   *   using lock = WindowsFileLock.tryLock(path);
   *   if (lock === undefined) return false;
   *   use();
   *   return true;
   * }
   * ```
   */
  static tryLock(path: string): WindowsFileLock | undefined {
    const { CreateFileW, LockFileEx, CloseHandle } = kernel32();
    const getLastError = lastError();
    const file = wideString(path);
    const place = overlapped();
    const opening = CreateFileW(
      file,
      READ_WRITE,
      SHARE_READ_WRITE,
      null,
      OPEN_EXISTING,
      0,
      null,
    );
    const openingCode = getLastError();
    const handle = BigInt(opening);
    if (handle === INVALID_HANDLE) {
      throw new Win32Error("CreateFileW", openingCode);
    }
    const locked = LockFileEx(
      handle,
      EXCLUSIVE | FAIL_IMMEDIATELY,
      0,
      1,
      0,
      place,
    );
    const lockingCode = getLastError();
    if (locked !== 0) return new WindowsFileLock(handle);
    CloseHandle(handle);
    if (lockingCode === ERROR_LOCK_VIOLATION) return undefined;
    throw new Win32Error("LockFileEx", lockingCode);
  }

  /** Gives the lock back. */
  [Symbol.dispose](): void {
    const { UnlockFileEx, CloseHandle } = kernel32();
    UnlockFileEx(this.#handle, 0, 1, 0, overlapped());
    CloseHandle(this.#handle);
  }
}

function overlapped(): Uint8Array<ArrayBuffer> {
  const memory = new Uint8Array(OVERLAPPED_SIZE);
  new DataView(memory.buffer).setBigUint64(OFFSET, BYTE, true);
  return memory;
}
