import { type CString, cString } from "./_memory.ts";
import { errno, libcName } from "./libc.ts";

// <linux/keyctl.h>
const KEY_SPEC_PROCESS_KEYRING = -2;
const KEY_SPEC_USER_KEYRING = -4;
const KEYCTL_SETPERM = 5;
const KEYCTL_DESCRIBE = 6;
const KEYCTL_LINK = 8;
const KEYCTL_UNLINK = 9;
const KEYCTL_SEARCH = 10;
const KEYCTL_READ = 11;
const KEYCTL_INVALIDATE = 21;

/**
 * View, read, write, search, link and set attributes, for the possessor and
 * the owner; nothing for the group and for others (`KEY_POS_ALL|KEY_USR_ALL`,
 * keyctl_setperm(3)).
 */
const OWNER_ONLY = 0x3f3f0000;

/** Numbers of `add_key` and `keyctl`, <asm/unistd.h>. */
const SYSTEM_CALLS: Readonly<
  Partial<Record<string, { readonly addKey: bigint; readonly keyctl: bigint }>>
> = {
  x86_64: { addKey: 248n, keyctl: 250n },
  aarch64: { addKey: 217n, keyctl: 219n },
};

// glibc has no functions of its own for these two system calls, and
// libkeyutils is rarely installed: long syscall(long number, ...), syscall(2).
// Integers and pointers travel in the same registers whether a function is
// variadic or not, on both machines above.
const SYMBOLS = {
  addKey: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "buffer", // const char *type
      "buffer", // const char *description
      "buffer", // const void *payload
      "usize", // size_t plen
      "i32", // key_serial_t keyring
    ],
    result: "i64",
  },
  keyctlSearch: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "i32", // KEYCTL_SEARCH
      "i32", // key_serial_t keyring
      "buffer", // const char *type
      "buffer", // const char *description
      "i32", // key_serial_t destination
    ],
    result: "i64",
  },
  keyctlBuffer: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "i32", // KEYCTL_READ, KEYCTL_DESCRIBE
      "i32", // key_serial_t key
      "buffer", // char *buffer
      "usize", // size_t length
    ],
    result: "i64",
  },
  keyctlNumbers: {
    name: "syscall",
    parameters: [
      "i64", // long number
      "i32", // KEYCTL_SETPERM, KEYCTL_LINK, KEYCTL_UNLINK, KEYCTL_INVALIDATE
      "i32", // key_serial_t key
      "u32", // key_perm_t permissions, key_serial_t keyring
    ],
    result: "i64",
  },
} as const satisfies Deno.ForeignLibraryInterface;

interface Keyutils {
  readonly call: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
  readonly addKey: bigint;
  readonly keyctl: bigint;
  readonly errno: Deno.UnsafePointerView;
}

let opened: Keyutils | undefined;

function keyutils(): Keyutils {
  if (opened === undefined) {
    const numbers = Deno.build.os === "linux"
      ? SYSTEM_CALLS[Deno.build.arch]
      : undefined;
    if (numbers === undefined) {
      throw new Deno.errors.NotSupported(
        `There are no kernel keys on ${Deno.build.os} ${Deno.build.arch}`,
      );
    }
    opened = {
      call: Deno.dlopen(libcName(), SYMBOLS).symbols,
      ...numbers,
      errno: errno(),
    };
  }
  return opened;
}

/** The name of an error code that the key calls are documented with. */
export type KeyErrorCode =
  | "EPERM"
  | "ENOMEM"
  | "EACCES"
  | "EINVAL"
  | "ENOSYS"
  | "EDQUOT"
  | "ENOKEY"
  | "EKEYEXPIRED"
  | "EKEYREVOKED"
  | "EKEYREJECTED"
  | "other";

/** Numbers of errors, errno(3). */
const CODES: ReadonlyMap<number, KeyErrorCode> = new Map([
  [1, "EPERM"],
  [12, "ENOMEM"],
  [13, "EACCES"],
  [22, "EINVAL"],
  [38, "ENOSYS"],
  [122, "EDQUOT"],
  [126, "ENOKEY"],
  [127, "EKEYEXPIRED"],
  [128, "EKEYREVOKED"],
  [129, "EKEYREJECTED"],
]);

/** What the kernel answered instead of doing what it was asked. */
export class KeyError extends Error {
  /** `KeyError` */
  override readonly name: string = "KeyError";
  /** The code's name; `other` for one that is not documented. */
  readonly code: KeyErrorCode;

  /**
   * An error of the kernel's.
   *
   * @param operation The call that failed, as keyctl(2) names it.
   * @param number The value of `errno`.
   */
  constructor(operation: string, number: number) {
    super(`${operation} failed with error ${number}`);
    this.code = CODES.get(number) ?? "other";
  }
}

/** Turns the answer of a call into a number, or `errno` into an error. */
function checked(keys: Keyutils, operation: string, answer: bigint): number {
  if (answer < 0n) throw new KeyError(operation, keys.errno.getInt32());
  return Number(answer);
}

function change(
  operation: string,
  number: number,
  key: number,
  argument: number,
): void {
  const keys = keyutils();
  checked(
    keys,
    operation,
    keys.call.keyctlNumbers(keys.keyctl, number, key, argument >>> 0),
  );
}

const USER_TYPE: CString = cString("user");

/**
 * Files a payload in the user keyring, in place of a key with the same
 * description. Other users have no access to it, and every process of its
 * owner has, whether or not its session is linked to the user keyring.
 *
 * The key is made in the keyring of this process, gets its permissions there
 * and is then linked: the user keyring holds the old key or the finished new
 * one at any time.
 *
 * @param description What to file it under.
 * @param payload What to file: 1 to 32,767 bytes.
 * @throws {KeyError} If the kernel refuses.
 * @throws {Deno.errors.NotSupported} Where there are no kernel keys.
 *
 * @example Store a secret until the next boot
 * ```ts
 * import { assertEquals } from "@std/assert";
 * import { invalidateKey, putKey, readKey, searchKey } from "./keyutils.ts";
 *
 * const name = "my-program:someone@example.com";
 * const secret = new TextEncoder().encode("hunter2");
 * putKey(name, secret);
 * const key = searchKey(name);
 * assertEquals(readKey(key), secret);
 * invalidateKey(key);
 * secret.fill(0);
 * ```
 */
export function putKey(
  description: string,
  payload: Uint8Array<ArrayBuffer>,
): void {
  const keys = keyutils();
  const key = checked(
    keys,
    "add_key",
    keys.call.addKey(
      keys.addKey,
      USER_TYPE,
      cString(description),
      payload,
      BigInt(payload.length),
      KEY_SPEC_PROCESS_KEYRING,
    ),
  );
  try {
    change("KEYCTL_SETPERM", KEYCTL_SETPERM, key, OWNER_ONLY);
    change("KEYCTL_LINK", KEYCTL_LINK, key, KEY_SPEC_USER_KEYRING);
  } finally {
    change("KEYCTL_UNLINK", KEYCTL_UNLINK, key, KEY_SPEC_PROCESS_KEYRING);
  }
}

/**
 * Finds a key of the user keyring.
 *
 * @param description What it is filed under.
 * @returns Its serial number.
 * @throws {KeyError} If there is none (`ENOKEY`), it has expired
 * (`EKEYEXPIRED`) or was revoked (`EKEYREVOKED`), or the kernel refuses.
 * @throws {Deno.errors.NotSupported} Where there are no kernel keys.
 */
export function searchKey(description: string): number {
  const keys = keyutils();
  return checked(
    keys,
    "KEYCTL_SEARCH",
    keys.call.keyctlSearch(
      keys.keyctl,
      KEYCTL_SEARCH,
      KEY_SPEC_USER_KEYRING,
      USER_TYPE,
      cString(description),
      0,
    ),
  );
}

/** Both calls answer how long the whole is, and fill what was given. */
function readAll(
  operation: string,
  number: number,
  key: number,
): Uint8Array<ArrayBuffer> {
  const keys = keyutils();
  let buffer = new Uint8Array(4096);
  try {
    for (;;) {
      const length = checked(
        keys,
        operation,
        keys.call.keyctlBuffer(
          keys.keyctl,
          number,
          key,
          buffer,
          BigInt(buffer.length),
        ),
      );
      if (length <= buffer.length) return buffer.slice(0, length);
      buffer.fill(0);
      buffer = new Uint8Array(length);
    }
  } finally {
    buffer.fill(0);
  }
}

/**
 * Reads a key's payload.
 *
 * @param key The key's serial number.
 * @returns The payload; the caller wipes it.
 * @throws {KeyError} If the key has gone or the kernel refuses.
 * @throws {Deno.errors.NotSupported} Where there are no kernel keys.
 */
export function readKey(key: number): Uint8Array<ArrayBuffer> {
  return readAll("KEYCTL_READ", KEYCTL_READ, key);
}

/**
 * Lists the user keyring.
 *
 * @returns The serial numbers of what it holds.
 * @throws {KeyError} If the kernel refuses.
 * @throws {Deno.errors.NotSupported} Where there are no kernel keys.
 */
export function listKeys(): number[] {
  const serials = readAll("KEYCTL_READ", KEYCTL_READ, KEY_SPEC_USER_KEYRING);
  return [...new Int32Array(serials.buffer)];
}

/** What {@linkcode describeKey} tells. */
export interface KeyDescription {
  /** The type, such as `user` or `keyring`. */
  readonly type: string;
  /** The permissions, as keyctl_setperm(3) has them. */
  readonly permissions: number;
  /** What the key is filed under. */
  readonly description: string;
}

/**
 * Tells what a key is filed under.
 *
 * @param key The key's serial number.
 * @returns What the kernel says about it.
 * @throws {KeyError} If the key has gone or the kernel refuses.
 * @throws {Deno.errors.NotSupported} Where there are no kernel keys.
 */
export function describeKey(key: number): KeyDescription {
  // type;uid;gid;permissions;description and a NUL, keyctl_describe(3). Only
  // the last part can hold semicolons.
  const text = new TextDecoder().decode(
    readAll("KEYCTL_DESCRIBE", KEYCTL_DESCRIBE, key),
  );
  const [type = "", _uid, _gid, permissions = "", ...description] = text
    .replace(/\0$/, "").split(";");
  return {
    type,
    permissions: Number.parseInt(permissions, 16),
    description: description.join(";"),
  };
}

/**
 * Makes a key unusable at once, in whatever keyrings it is linked.
 *
 * @param key The key's serial number.
 * @throws {KeyError} If the key has gone or the kernel refuses.
 * @throws {Deno.errors.NotSupported} Where there are no kernel keys.
 */
export function invalidateKey(key: number): void {
  change("KEYCTL_INVALIDATE", KEYCTL_INVALIDATE, key, 0);
}
