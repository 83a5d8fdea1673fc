import { openLibrary } from "./_library.ts";
import { cString, readCString } from "./_memory.ts";

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
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/** GLib's functions for tables and lists. */
export function glibTables(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return symbols ??= openLibrary("glib-2.0", SYMBOLS);
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
    const { g_str_hash, g_str_equal } = glibTables();
    const pointer = glibTables().g_hash_table_new(g_str_hash, g_str_equal);
    const strings: Uint8Array<ArrayBuffer>[] = [];
    for (const [key, value] of Object.entries(entries)) {
      const [k, v] = [cString(key), cString(value)];
      strings.push(k, v);
      glibTables().g_hash_table_insert(pointer, k, v);
    }
    return new StringTable(pointer, strings);
  }

  /** Frees the table. */
  [Symbol.dispose](): void {
    glibTables().g_hash_table_unref(this.pointer);
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
  return readCString(glibTables().g_hash_table_lookup(table, cString(key)));
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
