import { openLibrary, pinLibrary } from "../_library.ts";
import {
  addressOf,
  copyBytes,
  cString,
  OutPointer,
  readCString,
} from "../_memory.ts";
import { Cancellable } from "../gio.ts";
import {
  glibTables,
  listElements,
  lookUpString,
  StringTable,
} from "../_glib_tables.ts";
import { glib, takeError } from "../glib.ts";
import { unref } from "../gobject.ts";
import { SECRET_VALUE_SYMBOLS } from "./symbols.ts";

// What may wait for somebody is `nonblocking`.
const SYMBOLS = {
  secret_password_lookupv_binary_sync: {
    parameters: [
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretValue *
    nonblocking: true,
  },
  secret_password_storev_binary_sync: {
    parameters: [
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "buffer", // const gchar *collection
      "buffer", // const gchar *label
      "pointer", // SecretValue *value
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  secret_password_clearv_sync: {
    parameters: [
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  secret_password_searchv_sync: {
    parameters: [
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "i32", // SecretSearchFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // GList * of SecretRetrievable *
    nonblocking: true,
  },
  secret_retrievable_get_label: {
    parameters: [
      "pointer", // SecretRetrievable *self
    ],
    result: "pointer", // gchar *, the caller's
    nonblocking: true,
  },
  secret_retrievable_get_attributes: {
    parameters: [
      "pointer", // SecretRetrievable *self
    ],
    result: "pointer", // GHashTable *, the caller's
    nonblocking: true,
  },
  // Exported for libsecret's own use: a version of it may come without them.
  _secret_backend_uncache_instance: {
    // void _secret_backend_uncache_instance(void)
    parameters: [],
    result: "void",
    nonblocking: true,
    optional: true,
  },
  _secret_file_backend_check_portal_version: {
    // gboolean _secret_file_backend_check_portal_version(void)
    parameters: [],
    result: "i32",
    nonblocking: true,
    optional: true,
  },
  ...SECRET_VALUE_SYMBOLS,
} as const satisfies Deno.ForeignLibraryInterface;

const SECRET_SEARCH_ALL = 1 << 1;
const SECRET_COLLECTION_DEFAULT = "default";

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function password(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return symbols ??= openLibrary("secret-1", SYMBOLS);
}

/** What kind of secrets a program keeps. */
export interface Schema {
  /** A dotted name. */
  readonly name: string;
  /** The names of its attributes, all of them strings. */
  readonly attributes: readonly string[];
}

/**
 * libsecret's simple API, which chooses the place itself: the Secret Service,
 * or a file of its own (`SECRET_BACKEND`, and the portal of a sandbox). On the
 * Secret Service it opens dialogs, and does not tell locked from absent.
 */
export class PasswordStore implements AsyncDisposable {
  readonly #schema: Uint8Array<ArrayBuffer>;
  // The schema only points at these.
  readonly #strings: Uint8Array<ArrayBuffer>[] = [];
  readonly #cancellable: Cancellable;

  private constructor(schema: Schema, cancellable: Cancellable) {
    this.#cancellable = cancellable;
    // struct SecretSchema {
    //   const gchar *name;
    //   SecretSchemaFlags flags;
    //   SecretSchemaAttribute { const gchar *name; int type; } attributes[32];
    //   (reserved: an int and seven pointers)
    // }
    this.#schema = new Uint8Array(592);
    const view = new DataView(this.#schema.buffer);
    const point = (offset: number, text: string): void => {
      const string = cString(text);
      this.#strings.push(string);
      view.setBigUint64(offset, addressOf(string), true);
    };
    point(0, schema.name);
    schema.attributes.forEach((name, i) => point(16 + 16 * i, name));
  }

  /**
   * Whether libsecret takes its file in a sandbox: there is a portal that
   * gives applications a password for it. It waits for the session bus.
   *
   * @returns `false` too if this version of libsecret knows of no portal.
   * @throws {LibraryError} If libsecret cannot be opened.
   */
  static async hasPortal(): Promise<boolean> {
    const check = password()._secret_file_backend_check_portal_version;
    return check !== null && await check() !== 0;
  }

  /**
   * Opens the library, and lets it forget what it has read before.
   *
   * @param schema What is kept.
   * @param signal Ends every call when it is aborted.
   * @returns The store; dispose of it when it is done with.
   * @throws {LibraryError} If libsecret cannot be opened.
   */
  static async open(
    schema: Schema,
    signal?: AbortSignal,
  ): Promise<PasswordStore> {
    await password()._secret_backend_uncache_instance?.();
    pinLibrary("secret-1");
    return new PasswordStore(schema, Cancellable.from(signal));
  }

  /**
   * Looks a secret up.
   *
   * @param attributes What it is filed under.
   * @returns It, `undefined` if none was found. The bytes are the caller's to
   * overwrite.
   * @throws {GLibError} If the place cannot be used.
   */
  async lookup(
    attributes: Readonly<Record<string, string>>,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    using table = StringTable.from(attributes);
    const error = new OutPointer();
    const value = await password().secret_password_lookupv_binary_sync(
      this.#schema,
      table.pointer,
      this.#cancellable.pointer,
      error.cell,
    );
    if (error.value !== null) throw takeError(error, "lookup");
    if (value === null) return undefined;
    const length = new BigUint64Array(1);
    const text = password().secret_value_get(value, length);
    const secret = copyBytes(text, Number(length[0] ?? 0n));
    password().secret_value_unref(value);
    return secret;
  }

  /**
   * Stores a secret, in place of the one with the same attributes.
   *
   * @param attributes What to file it under.
   * @param secret The secret; it stays the caller's.
   * @param label The name that people see.
   * @throws {GLibError} If it was not stored.
   */
  async store(
    attributes: Readonly<Record<string, string>>,
    secret: Uint8Array<ArrayBuffer>,
    label: string,
  ): Promise<void> {
    using table = StringTable.from(attributes);
    const value = password().secret_value_new(
      secret,
      BigInt(secret.length),
      cString("text/plain"),
    );
    const error = new OutPointer();
    const done = await password().secret_password_storev_binary_sync(
      this.#schema,
      table.pointer,
      cString(SECRET_COLLECTION_DEFAULT),
      cString(label),
      value,
      this.#cancellable.pointer,
      error.cell,
    );
    password().secret_value_unref(value);
    if (done === 0) throw takeError(error, "store");
  }

  /**
   * Erases secrets.
   *
   * @param attributes What they are filed under.
   * @returns Whether there was one.
   * @throws {GLibError} If the place cannot be used.
   */
  async clear(
    attributes: Readonly<Record<string, string>>,
  ): Promise<boolean> {
    using table = StringTable.from(attributes);
    const error = new OutPointer();
    const done = await password().secret_password_clearv_sync(
      this.#schema,
      table.pointer,
      this.#cancellable.pointer,
      error.cell,
    );
    if (error.value !== null) throw takeError(error, "clear");
    return done !== 0;
  }

  /**
   * Lists every item of the place, whatever its schema.
   *
   * @param attribute The name of an attribute.
   * @returns Each item's value of it, `undefined` if it has none, and label.
   * @throws {GLibError} If the place cannot be used.
   */
  async list(
    attribute: string,
  ): Promise<{ readonly value: string | undefined; readonly label: string }[]> {
    using none = StringTable.from({});
    const error = new OutPointer();
    const list = await password().secret_password_searchv_sync(
      this.#schema,
      none.pointer,
      SECRET_SEARCH_ALL,
      this.#cancellable.pointer,
      error.cell,
    );
    if (error.value !== null) throw takeError(error, "search");
    const items: { value: string | undefined; label: string }[] = [];
    for (const item of listElements(list)) {
      const table = await password().secret_retrievable_get_attributes(item);
      const text = await password().secret_retrievable_get_label(item);
      items.push({
        value: lookUpString(table, attribute),
        label: readCString(text) ?? "",
      });
      glib().g_free(text);
      glibTables().g_hash_table_unref(table);
      await unref(item);
    }
    glibTables().g_list_free(list);
    return items;
  }

  /** Frees what it holds. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cancellable[Symbol.asyncDispose]();
  }
}
