import { OutPointer } from "./_memory.ts";
import { readWideString } from "./_wide_string.ts";

// shell32.dll and ole32.dll are known DLLs: always those in System32.
const SHELL_SYMBOLS = {
  SHGetKnownFolderPath: {
    parameters: [
      "buffer", // REFKNOWNFOLDERID rfid
      "u32", // DWORD dwFlags
      "pointer", // HANDLE hToken
      "buffer", // PWSTR *ppszPath
    ],
    result: "i32", // HRESULT
  },
} as const satisfies Deno.ForeignLibraryInterface;

const OLE_SYMBOLS = {
  CoTaskMemFree: {
    parameters: ["pointer"], // LPVOID pv
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** GUIDs of <knownfolders.h>, as they lie in memory. */
const FOLDERS = {
  // {62AB5D82-FDC1-4DC3-A9DD-070D1D495D97}
  ProgramData: "825dab62c1fdc34da9dd070d1d495d97",
  // {5E6C858F-0E22-4760-9AFE-EA3317B67173}
  Profile: "8f856c5e220e60479afeea3317b67173",
} as const;

/** The folders that can be asked for. */
export type KnownFolder = keyof typeof FOLDERS;

/**
 * Where Windows itself keeps something. Unlike the environment variable of the
 * same name it cannot be forged by whoever starts a program.
 *
 * @param folder Which one.
 * @returns Its absolute path; `undefined` if there is none for this user.
 * @throws {Error} If this is not Windows.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { knownFolder } from "./shell32.ts";
 *
 * if (Deno.build.os === "windows") assert(knownFolder("Profile") !== undefined);
 * ```
 */
export function knownFolder(folder: KnownFolder): string | undefined {
  const { SHGetKnownFolderPath } =
    Deno.dlopen("shell32.dll", SHELL_SYMBOLS).symbols;
  const { CoTaskMemFree } = Deno.dlopen("ole32.dll", OLE_SYMBOLS).symbols;
  const out = new OutPointer();
  const result = SHGetKnownFolderPath(
    Uint8Array.fromHex(FOLDERS[folder]),
    0,
    null,
    out.cell,
  );
  const { value } = out;
  try {
    return result === 0 ? readWideString(value) : undefined;
  } finally {
    // "Whether SHGetKnownFolderPath succeeds or not" (Microsoft).
    CoTaskMemFree(value);
  }
}
