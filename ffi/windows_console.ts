import { wideString } from "./_wide_string.ts";

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
  CloseHandle: {
    parameters: ["isize"], // HANDLE hObject
    result: "i32", // BOOL
  },
  GetNumberOfConsoleInputEvents: {
    parameters: [
      "isize", // HANDLE hConsoleInput
      "buffer", // LPDWORD lpcNumberOfEvents
    ],
    result: "i32", // BOOL
  },
  ReadConsoleInputW: {
    parameters: [
      "isize", // HANDLE hConsoleInput
      "buffer", // PINPUT_RECORD lpBuffer
      "u32", // DWORD nLength
      "buffer", // LPDWORD lpNumberOfEventsRead
    ],
    result: "i32", // BOOL
  },
  FlushConsoleInputBuffer: {
    parameters: ["isize"], // HANDLE hConsoleInput
    result: "i32", // BOOL
  },
  WriteConsoleW: {
    parameters: [
      "isize", // HANDLE hConsoleOutput
      "buffer", // const VOID *lpBuffer
      "u32", // DWORD nNumberOfCharsToWrite
      "buffer", // LPDWORD lpNumberOfCharsWritten
      "pointer", // LPVOID lpReserved
    ],
    result: "i32", // BOOL
    // It waits for as long as text is being selected in the window.
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let opened: Calls | undefined;

function kernel32(): Calls {
  return opened ??= Deno.dlopen(LIBRARY, SYMBOLS).symbols;
}

/** GENERIC_READ and GENERIC_WRITE, <winnt.h>. */
const READ_WRITE = 0xc000_0000;
/** FILE_SHARE_READ and FILE_SHARE_WRITE, <winnt.h>. */
const SHARED = 3;
/** <fileapi.h> */
const OPEN_EXISTING = 3;
/** <handleapi.h> */
const INVALID_HANDLE = -1n;

/** `INPUT_RECORD` with a `KEY_EVENT_RECORD` in it, <wincontypes.h>. */
const RECORD = {
  size: 20,
  eventType: 0, // WORD
  keyDown: 4, // BOOL
  repeatCount: 8, // WORD
  virtualKey: 10, // WORD
  unicodeChar: 14, // WCHAR
} as const;

const KEY_EVENT = 1;
/** The key Alt, <winuser.h>. */
const VK_MENU = 0x12;

/** How many records are read at a time. */
const RECORDS = 256;

/**
 * The UTF-16 code units that were typed, from what ReadConsoleInputW gives.
 * A character that was entered by its number comes when Alt is released.
 *
 * @param records `INPUT_RECORD`s.
 * @returns The code units; the caller wipes them.
 */
export function typedUnits(
  records: Uint8Array<ArrayBuffer>,
): Uint16Array<ArrayBuffer> {
  const view = new DataView(
    records.buffer,
    records.byteOffset,
    records.byteLength,
  );
  const units: number[] = [];
  for (let at = 0; at + RECORD.size <= records.length; at += RECORD.size) {
    if (view.getUint16(at + RECORD.eventType, true) !== KEY_EVENT) continue;
    const unit = view.getUint16(at + RECORD.unicodeChar, true);
    const isDown = view.getInt32(at + RECORD.keyDown, true) !== 0;
    const key = view.getUint16(at + RECORD.virtualKey, true);
    if (unit === 0 || !isDown && key !== VK_MENU) continue;
    const times = isDown ? view.getUint16(at + RECORD.repeatCount, true) : 1;
    for (let i = 0; i < times; i++) units.push(unit);
  }
  const typed = Uint16Array.from(units);
  units.fill(0);
  return typed;
}

/**
 * The console that this process is attached to, `CONIN$` and `CONOUT$`.
 *
 * Keys are read as events: these never appear on the screen, so the console's
 * mode is left as it is and nothing has to be put back; and whether there are
 * any can be asked, so nothing waits.
 *
 * @example Read keys
 * ```ts
 * import { WindowsConsole } from "./windows_console.ts";
 *
 * if (Deno.build.os === "windows") {
 *   using console = WindowsConsole.open();
 *   const typed = console?.read();
 *   typed?.fill(0);
 * }
 * ```
 */
export class WindowsConsole implements Disposable {
  readonly #input: bigint;
  readonly #output: bigint;

  private constructor(input: bigint, output: bigint) {
    this.#input = input;
    this.#output = output;
  }

  /**
   * Opens the console.
   *
   * @returns The console; `undefined` if this process has none.
   * @throws {Error} If this is not Windows.
   */
  static open(): WindowsConsole | undefined {
    const input = openDevice("CONIN$");
    if (input === INVALID_HANDLE) return undefined;
    const output = openDevice("CONOUT$");
    if (output === INVALID_HANDLE) {
      kernel32().CloseHandle(input);
      return undefined;
    }
    return new WindowsConsole(input, output);
  }

  /** Forgets what was typed before. */
  flush(): void {
    kernel32().FlushConsoleInputBuffer(this.#input);
  }

  /**
   * Reads what has been typed, without waiting. With `ENABLE_PROCESSED_INPUT`,
   * which is a console's default, Ctrl-C is not among it but a signal.
   *
   * @returns UTF-16 code units, none if nothing has been typed; the caller
   * wipes them. `undefined` if the console has gone.
   */
  read(): Uint16Array<ArrayBuffer> | undefined {
    const count = new Uint32Array(1);
    const calls = kernel32();
    if (calls.GetNumberOfConsoleInputEvents(this.#input, count) === 0) {
      return undefined;
    }
    if (count[0] === 0) return new Uint16Array();
    const records = new Uint8Array(RECORDS * RECORD.size);
    try {
      return calls.ReadConsoleInputW(this.#input, records, RECORDS, count) === 0
        ? undefined
        : typedUnits(records.subarray(0, (count[0] ?? 0) * RECORD.size));
    } finally {
      records.fill(0);
    }
  }

  /**
   * Writes a text, which may take for as long as the user holds the window.
   *
   * @param text The text.
   * @returns Whether it was written.
   */
  async write(text: string): Promise<boolean> {
    const units = wideString(text);
    return await kernel32().WriteConsoleW(
      this.#output,
      units,
      text.length,
      new Uint32Array(1),
      null,
    ) !== 0;
  }

  /** Closes the console's handles. */
  [Symbol.dispose](): void {
    const { CloseHandle } = kernel32();
    CloseHandle(this.#input);
    CloseHandle(this.#output);
  }
}

function openDevice(name: string): bigint {
  return BigInt(
    kernel32().CreateFileW(
      wideString(name),
      READ_WRITE,
      SHARED,
      null,
      OPEN_EXISTING,
      0,
      null,
    ),
  );
}
