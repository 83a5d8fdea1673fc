import { openLibrary } from "./_library.ts";
import { cString, type OutPointer, readCString } from "./_memory.ts";

// None of these waits for anybody.
const SYMBOLS = {
  g_str_hash: {
    // guint g_str_hash(gconstpointer v): passed on as a function pointer
    type: "pointer",
  },
  g_str_equal: {
    // gboolean g_str_equal(gconstpointer v1, gconstpointer v2): passed on
    type: "pointer",
  },
  g_hash_table_new: {
    parameters: [
      "pointer", // GHashFunc hash_func
      "pointer", // GEqualFunc key_equal_func
    ],
    result: "pointer", // GHashTable *
  },
  g_hash_table_insert: {
    parameters: [
      "pointer", // GHashTable *hash_table
      "buffer", // gpointer key
      "buffer", // gpointer value
    ],
    result: "i32", // gboolean
  },
  g_hash_table_lookup: {
    parameters: [
      "pointer", // GHashTable *hash_table
      "buffer", // gconstpointer key
    ],
    result: "pointer", // gpointer
  },
  g_hash_table_unref: {
    parameters: [
      "pointer", // GHashTable *hash_table
    ],
    result: "void",
  },
  g_list_free: {
    parameters: [
      "pointer", // GList *list
    ],
    result: "void",
  },
  g_free: {
    parameters: [
      "pointer", // gpointer mem
    ],
    result: "void",
  },
  g_strfreev: {
    parameters: [
      "pointer", // gchar **str_array
    ],
    result: "void",
  },
  g_error_free: {
    parameters: [
      "pointer", // GError *error
    ],
    result: "void",
  },
  g_quark_to_string: {
    parameters: [
      "u32", // GQuark quark
    ],
    result: "pointer", // const gchar *
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/**
 * GLib's functions; the first call opens the library.
 *
 * @returns The functions.
 * @throws {LibraryError} If there is no GLib.
 */
export function glib(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return symbols ??= openLibrary("glib-2.0", SYMBOLS);
}

/**
 * An error of GLib or of a library that is built on it: a `GError`.
 *
 * `domain` and `code` say what happened; `message` is for people, may be in
 * their language, and never holds a secret.
 */
export class GLibError extends Error {
  /** `GLibError` */
  override readonly name = "GLibError";
  /**
   * Whose error it is, such as `g-io-error-quark`; empty if a call failed
   * without saying why.
   */
  readonly domain: string;
  /** Which one of the domain's errors. */
  readonly code: number;

  /**
   * Makes the error.
   *
   * @param domain Whose error it is.
   * @param code Which one.
   * @param message What it says.
   */
  constructor(domain: string, code: number, message: string) {
    super(message);
    this.domain = domain;
    this.code = code;
  }
}

/**
 * Takes a `GError` over and frees it.
 *
 * @param out What was passed as `GError **`.
 * @param call The function's name, for an error without one.
 * @returns The error, to be thrown.
 */
export function takeError(out: OutPointer, call: string): GLibError {
  const pointer = out.value;
  if (pointer === null) {
    return new GLibError("", 0, `${call} failed and did not say why`);
  }
  // struct GError { GQuark domain; gint code; gchar *message; }
  const view = new Deno.UnsafePointerView(pointer);
  const domain = glib().g_quark_to_string(view.getUint32(0));
  const error = new GLibError(
    readCString(domain) ?? "",
    view.getInt32(4),
    readCString(view.getPointer(8)) ?? "",
  );
  glib().g_error_free(pointer);
  return error;
}

/** A `GHashTable` of strings, as libsecret takes attributes. */
export class StringTable implements Disposable {
  /** The `GHashTable *`. */
  readonly pointer: Deno.PointerValue;
  // The table only points at these: they live as long as it does.
  #strings: Uint8Array<ArrayBuffer>[];

  private constructor(
    pointer: Deno.PointerValue,
    strings: Uint8Array<ArrayBuffer>[],
  ) {
    this.pointer = pointer;
    this.#strings = strings;
  }

  /**
   * Makes a table.
   *
   * @param entries What is to be in it.
   * @returns The table; dispose of it when no call uses it any more.
   */
  static from(entries: Readonly<Record<string, string>>): StringTable {
    const { g_str_hash, g_str_equal } = glib();
    const pointer = glib().g_hash_table_new(g_str_hash, g_str_equal);
    const strings: Uint8Array<ArrayBuffer>[] = [];
    for (const [key, value] of Object.entries(entries)) {
      const [k, v] = [cString(key), cString(value)];
      strings.push(k, v);
      glib().g_hash_table_insert(pointer, k, v);
    }
    return new StringTable(pointer, strings);
  }

  /** Frees the table. */
  [Symbol.dispose](): void {
    glib().g_hash_table_unref(this.pointer);
    this.#strings = [];
  }
}

/**
 * Reads a string out of a `GHashTable` of strings.
 *
 * @param table The `GHashTable *`.
 * @param key The key.
 * @returns The value, `undefined` if there is none.
 */
export function lookUpString(
  table: Deno.PointerValue,
  key: string,
): string | undefined {
  return readCString(glib().g_hash_table_lookup(table, cString(key)));
}

/**
 * Takes a `gchar **` over and frees it.
 *
 * @param pointer The `gchar **`.
 * @returns The strings; none for `NULL`.
 */
export function takeStrings(pointer: Deno.PointerValue): string[] {
  if (pointer === null) return [];
  const strings: string[] = [];
  const view = new Deno.UnsafePointerView(pointer);
  for (let offset = 0;; offset += 8) {
    const text = readCString(view.getPointer(offset));
    if (text === undefined) break;
    strings.push(text);
  }
  glib().g_strfreev(pointer);
  return strings;
}

/**
 * The elements of a `GList`.
 *
 * @param list The `GList *`.
 * @returns What its nodes point at.
 */
export function listElements(list: Deno.PointerValue): Deno.PointerObject[] {
  const elements: Deno.PointerObject[] = [];
  // struct GList { gpointer data; GList *next; GList *prev; }
  for (let node = list; node !== null;) {
    const view = new Deno.UnsafePointerView(node);
    const data = view.getPointer(0);
    if (data !== null) elements.push(data);
    node = view.getPointer(8);
  }
  return elements;
}
