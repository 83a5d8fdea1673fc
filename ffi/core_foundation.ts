/** Where the framework is: in dyld's shared cache, under the path it had. */
export const CORE_FOUNDATION_PATH =
  "/System/Library/Frameworks/CoreFoundation.framework/CoreFoundation";

const SYMBOLS = {
  CFRelease: {
    parameters: [
      "pointer", // CFTypeRef cf
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

/** The functions of CoreFoundation that are used. */
export interface CoreFoundation {
  /** Gives up a reference; with the last one the object goes. */
  CFRelease(cf: Deno.PointerValue): void;
}

/**
 * Opens CoreFoundation.
 *
 * @param path The library's file.
 * @returns Its functions.
 * @throws {Error} If it cannot be opened.
 */
export function openCoreFoundation(
  path: string = CORE_FOUNDATION_PATH,
): CoreFoundation {
  return Deno.dlopen(path, SYMBOLS).symbols;
}

/**
 * A reference that we own and have to release. `using` releases it at the end
 * of the block:
 *
 * ```ts ignore
 * using keychain = await security.copyDefaultKeychain();
 * ```
 *
 * The parameter keeps references to one kind of object from being passed for
 * another.
 */
export class CFReference<Kind extends string> implements Disposable {
  /** What it refers to; never set, only for the type checker. */
  declare readonly kind: Kind;
  readonly #coreFoundation: CoreFoundation;
  #pointer: Deno.PointerObject | null;

  /**
   * Takes a reference over.
   *
   * @param coreFoundation What releases it.
   * @param pointer What a function whose name has "Create" or "Copy" in it gave.
   */
  constructor(coreFoundation: CoreFoundation, pointer: Deno.PointerObject) {
    this.#coreFoundation = coreFoundation;
    this.#pointer = pointer;
  }

  /**
   * What is passed to calls.
   *
   * @throws {TypeError} If it has been released.
   */
  get pointer(): Deno.PointerObject {
    if (this.#pointer === null) {
      throw new TypeError("This Core Foundation object has been released");
    }
    return this.#pointer;
  }

  /** Releases the object, once. */
  [Symbol.dispose](): void {
    if (this.#pointer === null) return;
    this.#coreFoundation.CFRelease(this.#pointer);
    this.#pointer = null;
  }
}
