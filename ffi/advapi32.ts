import { addressOf, copyBytes, OutPointer } from "./_memory.ts";
import { readWideString, type WideString, wideString } from "./_wide_string.ts";
import { lastError, Win32Error } from "./kernel32.ts";

/** One of the known DLLs: always the one in System32. */
const LIBRARY = "advapi32.dll";

const SYMBOLS = {
  CredReadW: {
    parameters: [
      "buffer", // LPCWSTR TargetName
      "u32", // DWORD Type
      "u32", // DWORD Flags
      "buffer", // PCREDENTIALW *Credential
    ],
    result: "i32", // BOOL
  },
  CredWriteW: {
    parameters: [
      "buffer", // PCREDENTIALW Credential
      "u32", // DWORD Flags
    ],
    result: "i32", // BOOL
  },
  CredDeleteW: {
    parameters: [
      "buffer", // LPCWSTR TargetName
      "u32", // DWORD Type
      "u32", // DWORD Flags
    ],
    result: "i32", // BOOL
  },
  CredEnumerateW: {
    parameters: [
      "buffer", // LPCWSTR Filter
      "u32", // DWORD Flags
      "buffer", // DWORD *Count
      "buffer", // PCREDENTIALW **Credential
    ],
    result: "i32", // BOOL
  },
  CredFree: {
    parameters: ["pointer"], // PVOID Buffer
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

interface Advapi32 {
  readonly call: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly lastError: () => number;
}

let opened: Advapi32 | undefined;

function advapi32(): Advapi32 {
  opened ??= {
    call: Deno.dlopen(LIBRARY, SYMBOLS).symbols,
    lastError: lastError(),
  };
  return opened;
}

/** `CRED_TYPE_GENERIC`, <wincred.h>. */
const CRED_TYPE_GENERIC = 1;

/** `CRED_MAX_CREDENTIAL_BLOB_SIZE`, <wincred.h>: 5 * 512. */
export const MAX_BLOB_BYTES = 2560;

/** How long a credential is kept: `CRED_PERSIST_...`, <wincred.h>. */
export const PERSIST = {
  /** Until the logon session ends. */
  SESSION: 1,
  /** On this machine, for this user. */
  LOCAL_MACHINE: 2,
  /** On every machine that the user's profile roams to. */
  ENTERPRISE: 3,
} as const;

/** The codes that these functions are documented or known to fail with. */
export const ERROR = {
  ACCESS_DENIED: 5,
  NOT_ENOUGH_MEMORY: 8,
  OUTOFMEMORY: 14,
  INVALID_PARAMETER: 87,
  INVALID_FLAGS: 1004,
  NOT_FOUND: 1168,
  ACCESS_DISABLED_BY_POLICY: 1260,
  NO_SUCH_LOGON_SESSION: 1312,
  RPC_X_BAD_STUB_DATA: 1783,
} as const;

const KNOWN_CODES: ReadonlySet<number> = new Set(Object.values(ERROR));

/** A generic credential, `CREDENTIALW`. */
export interface Credential {
  /** What it is filed under. */
  readonly targetName: string;
  /** A comment for people. */
  readonly comment?: string;
  /** The secret. */
  readonly blob: Uint8Array<ArrayBuffer>;
  /** One of {@linkcode PERSIST}. */
  readonly persist: number;
  /** The account. */
  readonly userName?: string;
}

/** `CREDENTIALW` on 64-bit Windows, <wincred.h>. */
const LAYOUT = {
  size: 80,
  type: 4, // DWORD
  targetName: 8, // LPWSTR
  comment: 16, // LPWSTR
  blobSize: 32, // DWORD
  blob: 40, // LPBYTE
  persist: 48, // DWORD
  userName: 72, // LPWSTR
} as const;

/** How often a call is repeated that failed with a code nobody knows. */
const TRIES = 3;

/**
 * Makes a call that can be repeated. A code outside of the known ones may be
 * one that something else has left behind: the call is made again.
 *
 * @throws {Win32Error} If it fails.
 */
function repeat(operation: string, call: () => number): void {
  let code = 0;
  for (let i = 0; i < TRIES; i++) {
    code = call();
    if (code === SUCCESS) return;
    if (KNOWN_CODES.has(code)) break;
  }
  throw new Win32Error(operation, code);
}

/** No error code: codes are not negative. */
const SUCCESS = -1;

/**
 * Reads a generic credential. Windows does not tell upper from lower case in
 * names: compare `targetName` with what was asked for.
 *
 * @param targetName What it is filed under.
 * @returns The credential; the caller wipes its blob.
 * @throws {Win32Error} If there is none (`ERROR.NOT_FOUND`), or Windows
 * refuses.
 * @throws {TypeError} If the name holds a NUL.
 *
 * @example
 * ```ts
 * import { readCredential } from "./advapi32.ts";
 *
 * function readPassword(name: string): string {
 *   const { blob } = readCredential(name);
 *   const password = new TextDecoder().decode(blob);
 *   blob.fill(0);
 *   return password;
 * }
 * ```
 */
export function readCredential(targetName: string): Credential {
  const { call, lastError } = advapi32();
  const target = wideString(targetName);
  const out = new OutPointer();
  const { cell } = out;
  repeat(
    "CredReadW",
    () =>
      call.CredReadW(target, CRED_TYPE_GENERIC, 0, cell) === 0
        ? lastError()
        : SUCCESS,
  );
  const { value } = out;
  if (value === null) throw new Win32Error("CredReadW", 0);
  try {
    return takeCredential(value);
  } finally {
    call.CredFree(value);
  }
}

/** Copies a credential and overwrites its secret. */
function takeCredential(pointer: Deno.PointerObject): Credential {
  const view = new Deno.UnsafePointerView(pointer);
  const comment = readWideString(view.getPointer(LAYOUT.comment));
  const userName = readWideString(view.getPointer(LAYOUT.userName));
  return {
    targetName: readWideString(view.getPointer(LAYOUT.targetName)) ?? "",
    ...(comment === undefined ? {} : { comment }),
    blob: takeBlob(view),
    persist: view.getUint32(LAYOUT.persist),
    ...(userName === undefined ? {} : { userName }),
  };
}

/** Copies the secret out of a `CREDENTIALW` and overwrites it there. */
function takeBlob(view: Deno.UnsafePointerView): Uint8Array<ArrayBuffer> {
  const size = view.getUint32(LAYOUT.blobSize);
  const pointer = view.getPointer(LAYOUT.blob);
  const blob = copyBytes(pointer, size);
  if (pointer !== null && size > 0) {
    new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(pointer, size))
      .fill(0);
  }
  return blob;
}

/**
 * Writes a generic credential, in place of the one with the same name.
 *
 * @param credential What to write; its blob stays the caller's.
 * @throws {Win32Error} If Windows refuses.
 * @throws {TypeError} If a text holds a NUL.
 *
 * @example
 * ```ts
 * import { PERSIST, writeCredential } from "./advapi32.ts";
 *
 * function writePassword(targetName: string, password: string): void {
 *   const blob = new TextEncoder().encode(password);
 *   writeCredential({ targetName, blob, persist: PERSIST.LOCAL_MACHINE });
 *   blob.fill(0);
 * }
 * ```
 */
export function writeCredential(credential: Credential): void {
  const { call, lastError } = advapi32();
  const memory = layOut(credential);
  try {
    const ok = call.CredWriteW(memory, 0);
    const code = ok === 0 ? lastError() : SUCCESS;
    if (code !== SUCCESS) throw new Win32Error("CredWriteW", code);
  } finally {
    memory.fill(0);
  }
}

/**
 * A `CREDENTIALW` with all that it points to behind it, in one buffer: what the
 * call holds is then all that has to stay where it is.
 */
function layOut(credential: Credential): Uint8Array<ArrayBuffer> {
  const { targetName, comment, userName, blob, persist } = credential;
  const target = wideString(targetName);
  const texts: readonly (readonly [number, WideString])[] = [
    [LAYOUT.targetName, target],
    ...optionalText(LAYOUT.comment, comment),
    ...optionalText(LAYOUT.userName, userName),
  ];
  const textBytes = texts.reduce(
    (sum, [, { byteLength }]) => sum + byteLength,
    0,
  );
  const memory = new Uint8Array(LAYOUT.size + textBytes + blob.length);
  const base = addressOf(memory);
  const view = new DataView(memory.buffer);
  view.setUint32(LAYOUT.type, CRED_TYPE_GENERIC, true);
  view.setUint32(LAYOUT.persist, persist, true);
  let end = LAYOUT.size;
  for (const [field, text] of texts) {
    memory.set(new Uint8Array(text.buffer), end);
    view.setBigUint64(field, base + BigInt(end), true);
    end += text.byteLength;
  }
  if (blob.length > 0) {
    memory.set(blob, end);
    view.setBigUint64(LAYOUT.blob, base + BigInt(end), true);
    view.setUint32(LAYOUT.blobSize, blob.length, true);
  }
  return memory;
}

function optionalText(
  field: number,
  text: string | undefined,
): readonly (readonly [number, WideString])[] {
  return text === undefined ? [] : [[field, wideString(text)]];
}

/**
 * Deletes a generic credential. Windows does not tell upper from lower case in
 * names: {@linkcode readCredential} tells whose it is.
 *
 * @param targetName What it is filed under.
 * @throws {Win32Error} If there is none (`ERROR.NOT_FOUND`), or Windows
 * refuses.
 * @throws {TypeError} If the name holds a NUL.
 */
export function deleteCredential(targetName: string): void {
  const { call, lastError } = advapi32();
  const target = wideString(targetName);
  repeat(
    "CredDeleteW",
    () =>
      call.CredDeleteW(target, CRED_TYPE_GENERIC, 0) === 0
        ? lastError()
        : SUCCESS,
  );
}

/**
 * Lists the names of generic credentials.
 *
 * @param filter How the names begin, with a `*` behind it.
 * @returns The names.
 * @throws {Win32Error} If Windows refuses.
 * @throws {TypeError} If the filter holds a NUL.
 */
export function listCredentials(filter: string): string[] {
  const { call, lastError } = advapi32();
  const wideFilter = wideString(filter);
  const count = new Uint32Array(1);
  const out = new OutPointer();
  const { cell } = out;
  try {
    repeat(
      "CredEnumerateW",
      () =>
        call.CredEnumerateW(wideFilter, 0, count, cell) === 0
          ? lastError()
          : SUCCESS,
    );
  } catch (error) {
    if (error instanceof Win32Error && error.code === ERROR.NOT_FOUND) {
      return [];
    }
    throw error;
  }
  const { value } = out;
  if (value === null) return [];
  try {
    const names: string[] = [];
    const list = new Deno.UnsafePointerView(value);
    for (let i = 0; i < (count[0] ?? 0); i++) {
      const pointer = list.getPointer(8 * i);
      if (pointer === null) continue;
      const view = new Deno.UnsafePointerView(pointer);
      takeBlob(view).fill(0);
      const name = readWideString(view.getPointer(LAYOUT.targetName));
      if (view.getUint32(LAYOUT.type) === CRED_TYPE_GENERIC && name) {
        names.push(name);
      }
    }
    return names;
  } finally {
    call.CredFree(value);
  }
}
