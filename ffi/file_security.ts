import { copyBytes, OutPointer } from "./_memory.ts";
import { wideString } from "./_wide_string.ts";
import { Win32Error } from "./kernel32.ts";

// Known DLLs: always those in System32.
const ADVAPI_SYMBOLS = {
  GetNamedSecurityInfoW: {
    parameters: [
      "buffer", // LPCWSTR pObjectName
      "u32", // SE_OBJECT_TYPE ObjectType
      "u32", // SECURITY_INFORMATION SecurityInfo
      "buffer", // PSID *ppsidOwner
      "pointer", // PSID *ppsidGroup
      "buffer", // PACL *ppDacl
      "pointer", // PACL *ppSacl
      "buffer", // PSECURITY_DESCRIPTOR *ppSecurityDescriptor
    ],
    result: "u32", // DWORD
  },
} as const satisfies Deno.ForeignLibraryInterface;

const KERNEL_SYMBOLS = {
  LocalFree: {
    parameters: ["pointer"], // HLOCAL hMem
    result: "pointer",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** `SE_FILE_OBJECT`, <accctrl.h>. */
const SE_FILE_OBJECT = 1;
/** `OWNER_SECURITY_INFORMATION` and `DACL_...`, <winnt.h>. */
const OWNER_AND_DACL = 1 | 4;

/** One entry of an access control list. */
export interface AccessEntry {
  /** `ACE_HEADER.AceType`: 0 allows, 1 denies. */
  readonly type: number;
  /** `ACE_HEADER.AceFlags`. */
  readonly flags: number;
  /** What is allowed or denied: `ACCESS_MASK`. */
  readonly mask: number;
  /** Whom, as `S-1-5-18`; empty for a type whose layout is another. */
  readonly sid: string;
}

/** Who owns a file or folder, and who may do what with it. */
export interface FileSecurity {
  /** The owner, as `S-1-5-18`. */
  readonly owner: string;
  /** The entries, in order; `null` where everybody may do everything. */
  readonly entries: readonly AccessEntry[] | null;
}

/**
 * Reads who owns a file or folder, and who may do what with it.
 *
 * @param path Its path. A link is followed.
 * @returns Its owner and access control list.
 * @throws {Win32Error} If Windows refuses, or there is no such file.
 * @throws {Error} If this is not Windows.
 *
 * @example
 * ```ts
 * import { assert } from "@std/assert";
 * import { fileSecurity } from "./file_security.ts";
 *
 * if (Deno.build.os === "windows") {
 *   assert(fileSecurity("C:\\Windows").owner.startsWith("S-1-5-"));
 * }
 * ```
 */
export function fileSecurity(path: string): FileSecurity {
  const { GetNamedSecurityInfoW } =
    Deno.dlopen("advapi32.dll", ADVAPI_SYMBOLS).symbols;
  const { LocalFree } = Deno.dlopen("kernel32.dll", KERNEL_SYMBOLS).symbols;
  const owner = new OutPointer();
  const dacl = new OutPointer();
  const descriptor = new OutPointer();
  const code = GetNamedSecurityInfoW(
    wideString(path),
    SE_FILE_OBJECT,
    OWNER_AND_DACL,
    owner.cell,
    null,
    dacl.cell,
    null,
    descriptor.cell,
  );
  if (code !== 0) throw new Win32Error("GetNamedSecurityInfoW", code);
  try {
    return {
      owner: owner.value === null ? "" : parseSid(copySid(owner.value)),
      entries: dacl.value === null ? null : parseAcl(copyAcl(dacl.value)),
    };
  } finally {
    LocalFree(descriptor.value);
  }
}

function copySid(pointer: Deno.PointerObject): Uint8Array<ArrayBuffer> {
  const subAuthorities = new Deno.UnsafePointerView(pointer).getUint8(1);
  return copyBytes(pointer, 8 + 4 * subAuthorities);
}

function copyAcl(pointer: Deno.PointerObject): Uint8Array<ArrayBuffer> {
  const size = new Deno.UnsafePointerView(pointer).getUint16(2);
  return copyBytes(pointer, size);
}

/**
 * Writes a security identifier as text.
 *
 * @param sid The bytes of a `SID`, <winnt.h>; what follows it is ignored.
 * @returns The text, such as `S-1-5-32-544`.
 *
 * @example
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { parseSid } from "./file_security.ts";
 *
 * const system = new Uint8Array([1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0]);
 * assertEquals(parseSid(system), "S-1-5-18");
 * ```
 */
export function parseSid(sid: Uint8Array<ArrayBuffer>): string {
  const view = new DataView(sid.buffer, sid.byteOffset, sid.byteLength);
  // 6 bytes, the highest first; the sub-authorities have their lowest first.
  const authority = view.getUint16(2) * 2 ** 32 + view.getUint32(4);
  const numbers = [view.getUint8(0), authority];
  for (let i = 0; i < view.getUint8(1); i++) {
    numbers.push(view.getUint32(8 + 4 * i, true));
  }
  return ["S", ...numbers].join("-");
}

/** Types whose entry is a header, a mask and a SID, <winnt.h>. */
const PLAIN_TYPES: ReadonlySet<number> = new Set([
  0, // ACCESS_ALLOWED_ACE_TYPE
  1, // ACCESS_DENIED_ACE_TYPE
  9, // ACCESS_ALLOWED_CALLBACK_ACE_TYPE
  10, // ACCESS_DENIED_CALLBACK_ACE_TYPE
]);

/**
 * Reads the entries of an access control list.
 *
 * @param acl The bytes of an `ACL` with its entries, <winnt.h>.
 * @returns The entries, in order.
 */
export function parseAcl(acl: Uint8Array<ArrayBuffer>): AccessEntry[] {
  const view = new DataView(acl.buffer, acl.byteOffset, acl.byteLength);
  const count = view.getUint16(4, true);
  const entries: AccessEntry[] = [];
  let at = 8;
  for (let i = 0; i < count; i++) {
    const type = view.getUint8(at);
    entries.push({
      type,
      flags: view.getUint8(at + 1),
      mask: view.getUint32(at + 4, true),
      sid: PLAIN_TYPES.has(type) ? parseSid(acl.subarray(at + 8)) : "",
    });
    at += view.getUint16(at + 2, true);
  }
  return entries;
}
