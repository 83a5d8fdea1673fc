import { type WideString, wideString } from "./_wide_string.ts";
import type { ExecFailure } from "./exec.ts";
import { lastError } from "./kernel32.ts";

/** One of the known DLLs: always the one in System32. */
const LIBRARY = "kernel32.dll";

const SYMBOLS = {
  SearchPathW: {
    parameters: [
      "buffer", // LPCWSTR lpPath
      "buffer", // LPCWSTR lpFileName
      "buffer", // LPCWSTR lpExtension
      "u32", // DWORD nBufferLength
      "buffer", // LPWSTR lpBuffer
      "pointer", // LPWSTR *lpFilePart
    ],
    result: "u32", // DWORD
  },
  GetStdHandle: {
    parameters: ["u32"], // DWORD nStdHandle
    result: "isize", // HANDLE
  },
  SetHandleInformation: {
    parameters: [
      "isize", // HANDLE hObject
      "u32", // DWORD dwMask
      "u32", // DWORD dwFlags
    ],
    result: "i32", // BOOL
  },
  CreateProcessW: {
    parameters: [
      "buffer", // LPCWSTR lpApplicationName
      "buffer", // LPWSTR lpCommandLine
      "pointer", // LPSECURITY_ATTRIBUTES lpProcessAttributes
      "pointer", // LPSECURITY_ATTRIBUTES lpThreadAttributes
      "i32", // BOOL bInheritHandles
      "u32", // DWORD dwCreationFlags
      "pointer", // LPVOID lpEnvironment
      "pointer", // LPCWSTR lpCurrentDirectory
      "buffer", // LPSTARTUPINFOW lpStartupInfo
      "buffer", // LPPROCESS_INFORMATION lpProcessInformation
    ],
    result: "i32", // BOOL
  },
  SetConsoleCtrlHandler: {
    parameters: [
      "pointer", // PHANDLER_ROUTINE HandlerRoutine
      "i32", // BOOL Add
    ],
    result: "i32", // BOOL
  },
  WaitForSingleObject: {
    parameters: [
      "isize", // HANDLE hHandle
      "u32", // DWORD dwMilliseconds
    ],
    result: "u32", // DWORD
    nonblocking: true,
  },
  GetExitCodeProcess: {
    parameters: [
      "isize", // HANDLE hProcess
      "buffer", // LPDWORD lpExitCode
    ],
    result: "i32", // BOOL
  },
} as const satisfies Deno.ForeignLibraryInterface;

// <winbase.h>, <synchapi.h>, <handleapi.h>
const STD_HANDLES = [-10, -11, -12] as const;
const HANDLE_FLAG_INHERIT = 1;
const STARTF_USESTDHANDLES = 0x100;
const INFINITE = 0xffff_ffff;

// <winerror.h>
const ERROR_FILE_NOT_FOUND = 2;
const ERROR_PATH_NOT_FOUND = 3;
const ERROR_ACCESS_DENIED = 5;

/** `STARTUPINFOW` on 64-bit Windows, <processthreadsapi.h>. */
const STARTUP = { size: 104, flags: 60, handles: 80 } as const;
/** `PROCESS_INFORMATION` on 64-bit Windows: the process's handle comes first. */
const PROCESS_INFORMATION_SIZE = 24;

/** How a program that was started has ended. */
export interface ProgramEnd {
  /** Tells it from an {@linkcode ExecFailure}. */
  readonly kind: "ended";
  /** Its exit status, as a signed number. */
  readonly status: number;
}

/**
 * Runs a program and waits for its end: Windows cannot replace a process by
 * another. The program has this one's console, standard streams, environment
 * and working directory, and Ctrl-C is the program's alone. A name without a
 * separator is looked for in `PATH`, as an `.exe`, and never in the working
 * directory.
 *
 * A batch file is refused (`failed`): how its arguments are read cannot be told.
 *
 * @param command The program and its arguments.
 * @param path The folders to look in, `PATH`.
 * @returns Its exit status, or why it did not start.
 * @throws {Error} If this is not Windows.
 *
 * @example
 * ```ts ignore
 * const end = await runProgram(["cargo", "publish"], Deno.env.get("PATH"));
 * ```
 */
export async function runProgram(
  command: readonly [string, ...string[]],
  path = "",
): Promise<ProgramEnd | ExecFailure> {
  const kernel32 = Deno.dlopen(LIBRARY, SYMBOLS).symbols;
  const getLastError = lastError();
  const [name] = command;
  const file = /[\\/:]/.test(name)
    ? wideString(name)
    : findProgram(kernel32, name, path);
  if (file === undefined) {
    return { kind: "not-found", code: ERROR_FILE_NOT_FOUND };
  }
  if (/\.(?:bat|cmd)\0$/i.test(String.fromCharCode(...file))) {
    return { kind: "failed", code: 193 }; // ERROR_BAD_EXE_FORMAT
  }
  const line = wideString(command.map(quoteArgument).join(" "));
  const startup = startupInfo(kernel32);
  const process = new BigInt64Array(PROCESS_INFORMATION_SIZE / 8);
  const started = kernel32.CreateProcessW(
    file,
    line,
    null,
    null,
    1,
    0,
    null,
    null,
    startup,
    process,
  );
  const code = getLastError();
  if (started === 0) return failure(code);
  kernel32.SetConsoleCtrlHandler(null, 1);
  const handle = process[0] ?? 0n;
  await kernel32.WaitForSingleObject(handle, INFINITE);
  const status = new Int32Array(1);
  kernel32.GetExitCodeProcess(handle, status);
  return { kind: "ended", status: status[0] ?? 0 };
}

function failure(code: number): ExecFailure {
  switch (code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return { kind: "not-found", code };
    case ERROR_ACCESS_DENIED:
      return { kind: "not-allowed", code };
    default:
      return { kind: "failed", code };
  }
}

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

function findProgram(
  kernel32: Calls,
  name: string,
  path: string,
): WideString | undefined {
  // An empty list would be Windows' own, which begins with this folder.
  if (path === "" || name === "") return undefined;
  const found = new Uint16Array(32768); // the longest path there can be
  const length = kernel32.SearchPathW(
    wideString(path),
    wideString(name),
    wideString(".exe"),
    found.length,
    found,
    null,
  );
  return length === 0 ? undefined : found.slice(0, length + 1);
}

/** Hands the standard streams on, redirected or not. */
function startupInfo(kernel32: Calls): Uint8Array<ArrayBuffer> {
  const info = new Uint8Array(STARTUP.size);
  const view = new DataView(info.buffer);
  view.setUint32(0, STARTUP.size, true);
  view.setUint32(STARTUP.flags, STARTF_USESTDHANDLES, true);
  for (const [i, number] of STD_HANDLES.entries()) {
    const handle = BigInt(kernel32.GetStdHandle(number >>> 0));
    kernel32.SetHandleInformation(
      handle,
      HANDLE_FLAG_INHERIT,
      HANDLE_FLAG_INHERIT,
    );
    view.setBigInt64(STARTUP.handles + 8 * i, handle, true);
  }
  return info;
}

/**
 * Writes an argument such that a program finds it as it was (Microsoft:
 * "Parsing C command-line arguments").
 *
 * @param argument The argument.
 * @returns The argument, in quotes where it needs them.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { quoteArgument } from "./create_process.ts";
 *
 * assertEquals(quoteArgument('a "b" \\'), '"a \\"b\\" \\\\"');
 * ```
 */
export function quoteArgument(argument: string): string {
  if (argument !== "" && !/[\s"]/.test(argument)) return argument;
  // Backslashes count only in front of a quotation mark.
  const escaped = argument.replace(
    /(\\*)($|")/g,
    (_, slashes, mark) => `${slashes}${slashes}${mark === "" ? "" : '\\"'}`,
  );
  return `"${escaped}"`;
}
