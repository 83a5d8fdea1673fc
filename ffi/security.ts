/**
 * The file-based keychain of macOS, through the `SecKeychain` functions of
 * Security.framework.
 *
 * Why these and not the newer `SecItem` functions (what is said of the
 * framework's inside was read in apple-oss-distributions/Security
 * 61901.0.87.0.1, OSX/libsecurity_keychain and securityd):
 *
 * - `cargo:macos-keychain` calls them, so an item has the same attributes, the
 *   default label included, whoever writes it.
 * - A program without an application identifier may use the file-based
 *   keychain only (otherwise: errSecMissingEntitlement, -34018). These
 *   functions know no other, and no synchronized items.
 * - Dialogs can be forbidden. `kSecUseAuthenticationUI` does nothing in the
 *   file-based half of `SecItem`; `SecKeychainSetUserInteractionAllowed` does.
 * - They take plain buffers: no dictionaries, no constants to look up in the
 *   framework, no variadic function (which Deno cannot call on Apple silicon).
 *
 * They are deprecated and exported still (Security.exp-in of that version).
 *
 * @module
 */

import { copyBytes, OutPointer } from "./_memory.ts";
import {
  CFReference,
  CORE_FOUNDATION_PATH,
  type CoreFoundation,
  openCoreFoundation,
} from "./core_foundation.ts";

/** Where the framework is: in dyld's shared cache, under the path it had. */
export const SECURITY_PATH =
  "/System/Library/Frameworks/Security.framework/Security";

// Whatever may wait for securityd or for a person is nonblocking.
const SYMBOLS = {
  SecKeychainSetUserInteractionAllowed: {
    parameters: [
      "u8", // Boolean state
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainCopyDefault: {
    parameters: [
      "buffer", // SecKeychainRef *keychain
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainGetStatus: {
    parameters: [
      "pointer", // SecKeychainRef keychain
      "buffer", // SecKeychainStatus *keychainStatus (UInt32)
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainUnlock: {
    parameters: [
      "pointer", // SecKeychainRef keychain
      "u32", // UInt32 passwordLength
      "pointer", // const void *password
      "u8", // Boolean usePassword
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainSearchCreateFromAttributes: {
    parameters: [
      "pointer", // CFTypeRef keychainOrArray
      "u32", // SecItemClass itemClass
      "buffer", // const SecKeychainAttributeList *attrList
      "buffer", // SecKeychainSearchRef *searchRef
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainSearchCopyNext: {
    parameters: [
      "pointer", // SecKeychainSearchRef searchRef
      "buffer", // SecKeychainItemRef *itemRef
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainItemCopyContent: {
    parameters: [
      "pointer", // SecKeychainItemRef itemRef
      "pointer", // SecItemClass *itemClass
      "buffer", // SecKeychainAttributeList *attrList
      "buffer", // UInt32 *length
      "buffer", // void **outData
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainItemFreeContent: {
    parameters: [
      "buffer", // SecKeychainAttributeList *attrList
      "pointer", // void *data
    ],
    result: "i32", // OSStatus
  },
  SecKeychainItemModifyContent: {
    parameters: [
      "pointer", // SecKeychainItemRef itemRef
      "pointer", // const SecKeychainAttributeList *attrList
      "u32", // UInt32 length
      "buffer", // const void *data
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainAddGenericPassword: {
    parameters: [
      "pointer", // SecKeychainRef keychain
      "u32", // UInt32 serviceNameLength
      "buffer", // const char *serviceName
      "u32", // UInt32 accountNameLength
      "pointer", // const char *accountName
      "u32", // UInt32 passwordLength
      "buffer", // const void *passwordData
      "pointer", // SecKeychainItemRef *itemRef
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
  SecKeychainItemDelete: {
    parameters: [
      "pointer", // SecKeychainItemRef itemRef
    ],
    result: "i32", // OSStatus
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

type Functions = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

/** The OSStatus codes that mean something of their own here. */
export type StatusName =
  | "errSecDiskFull"
  | "errSecWrPerm"
  | "errSecUserCanceled"
  | "errSecNotAvailable"
  | "errSecReadOnly"
  | "errSecAuthFailed"
  | "errSecNoSuchKeychain"
  | "errSecInvalidKeychain"
  | "errSecDuplicateItem"
  | "errSecItemNotFound"
  | "errSecDataTooLarge"
  | "errSecInvalidItemRef"
  | "errSecNoDefaultKeychain"
  | "errSecInteractionNotAllowed"
  | "errSecInteractionRequired"
  | "errSecInDarkWake"
  | "errSecMissingEntitlement"
  | "errAuthorizationDenied";

// <Security/SecBase.h>, <Security/Authorization.h>
const STATUS_NAMES: Readonly<Partial<Record<number, StatusName>>> = {
  [-34]: "errSecDiskFull",
  [-61]: "errSecWrPerm",
  [-128]: "errSecUserCanceled",
  [-25291]: "errSecNotAvailable",
  [-25292]: "errSecReadOnly",
  [-25293]: "errSecAuthFailed",
  [-25294]: "errSecNoSuchKeychain",
  [-25295]: "errSecInvalidKeychain",
  [-25299]: "errSecDuplicateItem",
  [-25300]: "errSecItemNotFound",
  [-25302]: "errSecDataTooLarge",
  [-25304]: "errSecInvalidItemRef",
  [-25307]: "errSecNoDefaultKeychain",
  [-25308]: "errSecInteractionNotAllowed",
  [-25315]: "errSecInteractionRequired",
  [-25320]: "errSecInDarkWake",
  [-34018]: "errSecMissingEntitlement",
  [-60005]: "errAuthorizationDenied",
};

/** A call that Security.framework refused. */
export class OSStatusError extends Error {
  /** `OSStatusError` */
  override readonly name = "OSStatusError";
  /** The OSStatus itself. */
  readonly status: number;
  /** Its name in Apple's headers; `undefined` for one that has no meaning here. */
  readonly statusName: StatusName | undefined;

  /**
   * Makes the error.
   *
   * @param status What the function returned.
   * @param call The function.
   */
  constructor(status: number, call: string) {
    super(`${call}: ${STATUS_NAMES[status] ?? "OSStatus"} (${status})`);
    this.status = status;
    this.statusName = STATUS_NAMES[status];
  }
}

/**
 * Turns a function's OSStatus into a typed error: the one place that does.
 *
 * @param status What the function returned.
 * @param call The function.
 * @throws {OSStatusError} If it is not errSecSuccess.
 */
function check(status: number, call: keyof Functions): void {
  if (status !== 0) throw new OSStatusError(status, call);
}

/**
 * Whether an error is one of the named OSStatus codes.
 *
 * @param error What was caught.
 * @param names Which ones are meant.
 * @returns `true` if it is.
 */
export function hasStatus(
  error: unknown,
  ...names: readonly StatusName[]
): error is OSStatusError {
  return error instanceof OSStatusError && error.statusName !== undefined &&
    names.includes(error.statusName);
}

/** A keychain: SecKeychainRef. */
export type Keychain = CFReference<"SecKeychain">;
/** A search that is under way: SecKeychainSearchRef. */
export type KeychainSearch = CFReference<"SecKeychainSearch">;
/** An item of a keychain: SecKeychainItemRef. */
export type KeychainItem = CFReference<"SecKeychainItem">;

/** What tells one generic password from another within one keychain. */
export interface GenericPasswordKey {
  /** kSecServiceItemAttr. */
  readonly service: Uint8Array<ArrayBuffer>;
  /** kSecAccountItemAttr; empty if the item has none. */
  readonly account: Uint8Array<ArrayBuffer>;
}

// <Security/SecBase.h>: what a success without an object amounts to.
const errSecInternalComponent = -2070;

// <Security/SecKeychain.h>, <Security/SecKeychainItem.h>
const kSecUnlockStateStatus = 1;
const kSecGenericPasswordItemClass = fourCharCode("genp");
const kSecServiceItemAttr = fourCharCode("svce");
const kSecAccountItemAttr = fourCharCode("acct");

function fourCharCode(text: string): number {
  return new DataView(new TextEncoder().encode(text).buffer).getUint32(0);
}

/**
 * A SecKeychainAttributeList in one piece of memory: the list, its attributes
 * and their data. Passed as a buffer it is kept alive, and does not move, for
 * as long as the call lasts.
 *
 * ```c
 * struct SecKeychainAttributeList { UInt32 count; SecKeychainAttribute *attr; };
 * struct SecKeychainAttribute { UInt32 tag; UInt32 length; void *data; };
 * ```
 */
class AttributeList {
  static readonly #HEADER = 16;
  static readonly #ATTRIBUTE = 16;

  /** What is passed to the call. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView<ArrayBuffer>;

  /**
   * Lays the list out.
   *
   * @param attributes Each attribute's tag and data; empty data where the call
   * is to fill it in.
   */
  constructor(
    attributes: readonly (readonly [
      tag: number,
      data?: Uint8Array<ArrayBuffer>,
    ])[],
  ) {
    const head = AttributeList.#HEADER +
      AttributeList.#ATTRIBUTE * attributes.length;
    const size = attributes.reduce(
      (sum, [, data]) => sum + (data?.length ?? 0),
      head,
    );
    this.bytes = new Uint8Array(size);
    this.#view = new DataView(this.bytes.buffer);
    const base = Deno.UnsafePointer.value(
      Deno.UnsafePointer.of(this.bytes),
    );
    this.#view.setUint32(0, attributes.length, true);
    this.#view.setBigUint64(8, base + BigInt(AttributeList.#HEADER), true);
    let end = head;
    for (const [index, [tag, data]] of attributes.entries()) {
      const at = this.#offset(index);
      this.#view.setUint32(at, tag, true);
      if (data === undefined) continue;
      this.#view.setUint32(at + 4, data.length, true);
      this.#view.setBigUint64(at + 8, base + BigInt(end), true);
      this.bytes.set(data, end);
      end += data.length;
    }
  }

  #offset(index: number): number {
    return AttributeList.#HEADER + AttributeList.#ATTRIBUTE * index;
  }

  /**
   * Copies what a call has filled in.
   *
   * @param index Which attribute, in the constructor's order.
   * @returns Its bytes.
   */
  read(index: number): Uint8Array<ArrayBuffer> {
    const at = this.#offset(index);
    return copyBytes(
      Deno.UnsafePointer.create(this.#view.getBigUint64(at + 8, true)),
      this.#view.getUint32(at + 4, true),
    );
  }
}

/**
 * The calls of Security.framework that a keychain's generic passwords need.
 * Every method throws an {@linkcode OSStatusError} if its function refuses.
 */
export class Security {
  readonly #functions: Functions;
  readonly #coreFoundation: CoreFoundation;

  /** @ignore */
  constructor(functions: Functions, coreFoundation: CoreFoundation) {
    this.#functions = functions;
    this.#coreFoundation = coreFoundation;
  }

  #own<Kind extends string>(
    out: OutPointer,
    call: keyof Functions,
  ): CFReference<Kind> {
    const pointer = out.value;
    if (pointer === null) {
      throw new OSStatusError(errSecInternalComponent, call);
    }
    return new CFReference<Kind>(this.#coreFoundation, pointer);
  }

  /**
   * Whether the calls of this process may open dialogs. It holds for all of
   * them, from now on.
   *
   * @param allowed Whether they may.
   */
  async setUserInteractionAllowed(allowed: boolean): Promise<void> {
    check(
      await this.#functions.SecKeychainSetUserInteractionAllowed(
        allowed ? 1 : 0,
      ),
      "SecKeychainSetUserInteractionAllowed",
    );
  }

  /**
   * The user's default keychain, as a rule the login keychain.
   *
   * @returns The keychain, which may not exist: {@linkcode isUnlocked} tells.
   */
  async copyDefaultKeychain(): Promise<Keychain> {
    const out = new OutPointer();
    check(
      await this.#functions.SecKeychainCopyDefault(out.cell),
      "SecKeychainCopyDefault",
    );
    return this.#own(out, "SecKeychainCopyDefault");
  }

  /**
   * Whether a keychain is unlocked. This opens its file and no dialog.
   *
   * @param keychain The keychain.
   * @returns Whether secrets can be read and written.
   */
  async isUnlocked(keychain: Keychain): Promise<boolean> {
    const status = new Uint32Array(1);
    check(
      await this.#functions.SecKeychainGetStatus(keychain.pointer, status),
      "SecKeychainGetStatus",
    );
    return ((status[0] ?? 0) & kSecUnlockStateStatus) !== 0;
  }

  /**
   * Asks the person for the keychain's password.
   *
   * @param keychain The keychain.
   */
  async unlock(keychain: Keychain): Promise<void> {
    check(
      await this.#functions.SecKeychainUnlock(keychain.pointer, 0, null, 0),
      "SecKeychainUnlock",
    );
  }

  /**
   * Unlocks a keychain with its password, without a dialog.
   *
   * @param keychain The keychain.
   * @param password The password; it stays the caller's.
   * @returns `false` if it is another one.
   */
  async unlockWithPassword(
    keychain: Keychain,
    password: Uint8Array<ArrayBuffer>,
  ): Promise<boolean> {
    try {
      check(
        await this.#functions.SecKeychainUnlock(
          keychain.pointer,
          password.length,
          Deno.UnsafePointer.of(password),
          1,
        ),
        "SecKeychainUnlock",
      );
      return true;
    } catch (error) {
      if (hasStatus(error, "errSecAuthFailed")) return false;
      throw error;
    }
  }

  /**
   * Starts a search for generic passwords. Attributes are not encrypted, so it
   * works in a locked keychain too.
   *
   * Not `SecKeychainFindGenericPassword`: given an empty account it takes the
   * first item of the service, whatever its account.
   *
   * @param keychain Where to search.
   * @param service The service, absent: every generic password.
   * @returns The search.
   */
  async searchGenericPasswords(
    keychain: Keychain,
    service?: Uint8Array<ArrayBuffer>,
  ): Promise<KeychainSearch> {
    const list = service === undefined
      ? null
      : new AttributeList([[kSecServiceItemAttr, service]]).bytes;
    const out = new OutPointer();
    check(
      await this.#functions.SecKeychainSearchCreateFromAttributes(
        keychain.pointer,
        kSecGenericPasswordItemClass,
        list,
        out.cell,
      ),
      "SecKeychainSearchCreateFromAttributes",
    );
    return this.#own(out, "SecKeychainSearchCreateFromAttributes");
  }

  /**
   * The next item of a search.
   *
   * A keychain that cannot be opened looks as if it were empty (KCCursor.cpp
   * skips it): only after {@linkcode isUnlocked} has answered does the end of
   * a search mean anything.
   *
   * @param search The search.
   * @returns The item; `undefined` at the end.
   */
  async nextItem(search: KeychainSearch): Promise<KeychainItem | undefined> {
    const out = new OutPointer();
    const call = "SecKeychainSearchCopyNext";
    try {
      check(
        await this.#functions[call](search.pointer, out.cell),
        call,
      );
    } catch (error) {
      if (hasStatus(error, "errSecItemNotFound")) return undefined;
      throw error;
    }
    return this.#own(out, call);
  }

  /**
   * Reads the service and the account of an item, which are not encrypted.
   *
   * @param item The item.
   * @returns Both.
   */
  async readKey(item: KeychainItem): Promise<GenericPasswordKey> {
    const list = new AttributeList([
      [kSecServiceItemAttr],
      [kSecAccountItemAttr],
    ]);
    check(
      await this.#functions.SecKeychainItemCopyContent(
        item.pointer,
        null,
        list.bytes,
        null,
        null,
      ),
      "SecKeychainItemCopyContent",
    );
    const key = { service: list.read(0), account: list.read(1) };
    check(
      this.#functions.SecKeychainItemFreeContent(list.bytes, null),
      "SecKeychainItemFreeContent",
    );
    return key;
  }

  /**
   * Decrypts an item. The framework's copy is overwritten before it is freed.
   *
   * @param item The item.
   * @returns The secret; the caller wipes it.
   */
  async readSecret(item: KeychainItem): Promise<Uint8Array<ArrayBuffer>> {
    const length = new Uint32Array(1);
    const out = new OutPointer();
    check(
      await this.#functions.SecKeychainItemCopyContent(
        item.pointer,
        null,
        null,
        length,
        out.cell,
      ),
      "SecKeychainItemCopyContent",
    );
    const data = out.value;
    const size = length[0] ?? 0;
    const secret = copyBytes(data, size);
    if (data !== null) {
      if (size > 0) {
        new Uint8Array(Deno.UnsafePointerView.getArrayBuffer(data, size))
          .fill(0);
      }
      check(
        this.#functions.SecKeychainItemFreeContent(null, data),
        "SecKeychainItemFreeContent",
      );
    }
    return secret;
  }

  /**
   * Replaces an item's secret. Its attributes stay, and so does the list of
   * programs that may read it.
   *
   * @param item The item.
   * @param secret The new secret; copied before this returns.
   */
  async modifySecret(
    item: KeychainItem,
    secret: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const copy = copyOf(secret);
    try {
      check(
        await this.#functions.SecKeychainItemModifyContent(
          item.pointer,
          null,
          secret.length,
          copy,
        ),
        "SecKeychainItemModifyContent",
      );
    } finally {
      copy.fill(0);
    }
  }

  /**
   * Adds a generic password with an empty account. Its label is the service.
   *
   * @param keychain Where to.
   * @param service The service.
   * @param secret The secret; copied before this returns.
   */
  async addGenericPassword(
    keychain: Keychain,
    service: Uint8Array<ArrayBuffer>,
    secret: Uint8Array<ArrayBuffer>,
  ): Promise<void> {
    const copy = copyOf(secret);
    try {
      check(
        await this.#functions.SecKeychainAddGenericPassword(
          keychain.pointer,
          service.length,
          service,
          0,
          null,
          secret.length,
          copy,
          null,
        ),
        "SecKeychainAddGenericPassword",
      );
    } finally {
      copy.fill(0);
    }
  }

  /**
   * Deletes an item.
   *
   * @param item The item.
   */
  async deleteItem(item: KeychainItem): Promise<void> {
    check(
      await this.#functions.SecKeychainItemDelete(item.pointer),
      "SecKeychainItemDelete",
    );
  }
}

/**
 * A copy that a call which outlives our patience may go on reading, and that
 * is never empty: Deno passes NULL for an empty buffer, which means "leave the
 * secret as it is".
 */
function copyOf(secret: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
  const copy = new Uint8Array(Math.max(1, secret.length));
  copy.set(secret);
  return copy;
}

/** The files of the two frameworks. */
export interface FrameworkPaths {
  /** Security.framework. */
  readonly security: string;
  /** CoreFoundation.framework. */
  readonly coreFoundation: string;
}

const SYSTEM_FRAMEWORKS: FrameworkPaths = {
  security: SECURITY_PATH,
  coreFoundation: CORE_FOUNDATION_PATH,
};

/**
 * Opens Security.framework.
 *
 * @param paths The libraries' files.
 * @returns Its calls.
 * @throws {Error} If one of the libraries cannot be opened.
 *
 * @example
 * ```ts ignore
 * const security = openSecurity();
 * using keychain = await security.copyDefaultKeychain();
 * console.log(await security.isUnlocked(keychain));
 * ```
 */
export function openSecurity(
  paths: FrameworkPaths = SYSTEM_FRAMEWORKS,
): Security {
  return new Security(
    Deno.dlopen(paths.security, SYMBOLS).symbols,
    openCoreFoundation(paths.coreFoundation),
  );
}
