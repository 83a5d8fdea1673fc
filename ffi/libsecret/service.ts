import { openLibrary, pinLibrary } from "./_library.ts";
import {
  addressOf,
  copyBytes,
  cString,
  OutPointer,
  readCString,
} from "./_memory.ts";
import { callMethod, Cancellable, objectPath } from "./gio.ts";
import {
  glib,
  GLibError,
  listElements,
  lookUpString,
  StringTable,
  takeError,
  takeStrings,
} from "./glib.ts";
import { unref } from "./gobject.ts";

// Nonblocking for the reason in glib.ts, and because these wait for a bus.
const SYMBOLS = {
  secret_service_get_type: {
    parameters: [],
    result: "usize", // GType
    nonblocking: true,
  },
  secret_service_open_sync: {
    parameters: [
      "usize", // GType service_gtype
      "pointer", // const gchar *service_bus_name
      "i32", // SecretServiceFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretService *
    nonblocking: true,
  },
  secret_service_search_sync: {
    parameters: [
      "pointer", // SecretService *service
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "i32", // SecretSearchFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // GList * of SecretItem *
    nonblocking: true,
  },
  secret_service_unlock_sync: {
    parameters: [
      "pointer", // SecretService *service
      "buffer", // GList *objects
      "pointer", // GCancellable *cancellable
      "pointer", // GList **unlocked
      "buffer", // GError **error
    ],
    result: "i32", // gint
    nonblocking: true,
  },
  secret_collection_for_alias_sync: {
    parameters: [
      "pointer", // SecretService *service
      "buffer", // const gchar *alias
      "i32", // SecretCollectionFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretCollection *
    nonblocking: true,
  },
  secret_collection_create_sync: {
    parameters: [
      "pointer", // SecretService *service
      "buffer", // const gchar *label
      "buffer", // const gchar *alias
      "i32", // SecretCollectionCreateFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretCollection *
    nonblocking: true,
  },
  secret_collection_get_locked: {
    parameters: [
      "pointer", // SecretCollection *self
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  secret_item_create_sync: {
    parameters: [
      "pointer", // SecretCollection *collection
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "buffer", // const gchar *label
      "pointer", // SecretValue *value
      "i32", // SecretItemCreateFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretItem *
    nonblocking: true,
  },
  secret_item_load_secret_sync: {
    parameters: [
      "pointer", // SecretItem *self
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  secret_item_get_secret: {
    parameters: [
      "pointer", // SecretItem *self
    ],
    result: "pointer", // SecretValue *
    nonblocking: true,
  },
  secret_item_get_locked: {
    parameters: [
      "pointer", // SecretItem *self
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  secret_item_get_label: {
    parameters: [
      "pointer", // SecretItem *self
    ],
    result: "pointer", // gchar *, the caller's
    nonblocking: true,
  },
  secret_item_get_attributes: {
    parameters: [
      "pointer", // SecretItem *self
    ],
    result: "pointer", // GHashTable *, the caller's
    nonblocking: true,
  },
  secret_item_delete_sync: {
    parameters: [
      "pointer", // SecretItem *self
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  secret_value_new: {
    parameters: [
      "buffer", // const gchar *secret
      "isize", // gssize length
      "buffer", // const gchar *content_type
    ],
    result: "pointer", // SecretValue *
    nonblocking: true,
  },
  secret_value_get: {
    parameters: [
      "pointer", // SecretValue *value
      "buffer", // gsize *length
    ],
    result: "pointer", // const gchar *
    nonblocking: true,
  },
  secret_value_unref: {
    parameters: [
      "pointer", // gpointer value
    ],
    result: "void",
    nonblocking: true,
  },
  // <libsecret/secret-paths.h> has these three only with
  // SECRET_WITH_UNSTABLE, so a version of libsecret may come without them.
  secret_service_search_for_dbus_paths_sync: {
    parameters: [
      "pointer", // SecretService *self
      "buffer", // const SecretSchema *schema
      "pointer", // GHashTable *attributes
      "pointer", // GCancellable *cancellable
      "buffer", // gchar ***unlocked
      "buffer", // gchar ***locked
      "buffer", // GError **error
    ],
    result: "i32", // gboolean
    nonblocking: true,
    optional: true,
  },
  secret_service_get_secret_for_dbus_path_sync: {
    parameters: [
      "pointer", // SecretService *self
      "buffer", // const gchar *item_path
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretValue *
    nonblocking: true,
    optional: true,
  },
  secret_item_new_for_dbus_path_sync: {
    parameters: [
      "pointer", // SecretService *service
      "buffer", // const gchar *item_path
      "i32", // SecretItemFlags flags
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretItem *
    nonblocking: true,
    optional: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

const SECRET_SERVICE_NONE = 0;
const SECRET_SEARCH_ALL = 1 << 1;
const SECRET_COLLECTION_NONE = 0;
const SECRET_COLLECTION_CREATE_NONE = 0;
const SECRET_ITEM_NONE = 0;
const SECRET_ITEM_CREATE_REPLACE = 1 << 1;
const SECRET_ERROR_IS_LOCKED = 2;
const G_DBUS_ERROR_NAME_HAS_NO_OWNER = 3;
const G_DBUS_ERROR_UNKNOWN_METHOD = 19;
const SECRET_COLLECTION_DEFAULT = "default";

const SERVICE_NAME = "org.freedesktop.secrets";

type LibSecret = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

let symbols: LibSecret | undefined;
let pinned: Promise<void> | undefined;

function libsecret(): LibSecret {
  return symbols ??= openLibrary("secret-1", SYMBOLS);
}

// Schemas only point at their strings, and are as static as in C.
const keptForever: Uint8Array<ArrayBuffer>[] = [];

/**
 * What kind of secrets a program keeps: a `SecretSchema`. Two programs that
 * use the same one see each other's items.
 */
export class SecretSchema {
  /** Its name, a dotted one: every item has it as its `xdg:schema`. */
  readonly name: string;
  /** What items are found by: the names of attributes, all of them strings. */
  readonly attributes: readonly string[];
  /** The `SecretSchema` in memory. */
  readonly buffer: Uint8Array<ArrayBuffer>;

  /**
   * Makes a schema.
   *
   * @param name A dotted name, such as `org.example.Password`.
   * @param attributes The names of at most 31 attributes.
   * @throws {RangeError} If there are more attributes.
   *
   * @example
   * ```ts
   * import { SecretSchema } from "./libsecret.ts";
   *
   * const schema = new SecretSchema("org.example.Password", ["user", "host"]);
   * console.assert(schema.attributes.length === 2);
   * ```
   */
  constructor(name: string, attributes: readonly string[]) {
    if (attributes.length > 31) throw new RangeError("Too many attributes");
    this.name = name;
    this.attributes = attributes;
    // struct SecretSchema {
    //   const gchar *name;
    //   SecretSchemaFlags flags;
    //   SecretSchemaAttribute { const gchar *name; int type; } attributes[32];
    //   (reserved: an int and seven pointers)
    // }
    this.buffer = new Uint8Array(592);
    const view = new DataView(this.buffer.buffer);
    const point = (offset: number, text: string): void => {
      const string = cString(text);
      keptForever.push(string);
      view.setBigUint64(offset, addressOf(string), true);
    };
    point(0, name);
    attributes.forEach((attribute, i) => point(16 + 16 * i, attribute));
  }
}

/** Attributes of an item, by their names. */
export type Attributes = Readonly<Record<string, string>>;

/** The Secret Service has what was asked for, or may, and cannot show it. */
export class SecretServiceError extends Error {
  /** `SecretServiceError` */
  override readonly name = "SecretServiceError";
  /** Whether it is locked, or there is no default collection. */
  readonly reason: "locked" | "no-default-collection";

  /**
   * Makes the error.
   *
   * @param reason Why not.
   */
  constructor(reason: "locked" | "no-default-collection") {
    super(
      reason === "locked"
        ? "The keyring is locked"
        : "The Secret Service has no default collection",
    );
    this.reason = reason;
  }
}

/** How {@linkcode SecretService.open} opens. */
export interface SecretServiceOptions {
  /**
   * Ends every call of this instance when it is aborted: they then fail with
   * a {@linkcode GLibError} of `g-io-error-quark`, code 19.
   */
  readonly signal?: AbortSignal;
  /**
   * Whether to keep to what libsecret declares stable. Slower; without it the
   * same is done where this version of libsecret lacks the rest.
   *
   * @default {false}
   */
  readonly stable?: boolean;
}

/** What {@linkcode SecretService.find} has found. */
export interface FoundItems {
  /** Those whose secret can be had. */
  readonly unlocked: readonly SecretItem[];
  /** Those that are locked. */
  readonly locked: readonly SecretItem[];
}

/** What is common to an instance, its collections and its items. */
interface Context {
  readonly service: Deno.PointerValue;
  readonly cancellable: Cancellable;
  /** Objects that are given back when the instance is disposed of. */
  readonly objects: Deno.PointerObject[];
  readonly stable: boolean;
}

/**
 * The Secret Service (GNOME Keyring, KWallet, KeePassXC, …) through libsecret.
 *
 * Nothing opens a dialog but what says so. Libraries are opened with the first
 * instance, not before. Each instance has a session of its own with the
 * service.
 *
 * @example Store a secret, look it up, and clear it
 * ```ts
 * import { SecretSchema, SecretService } from "./libsecret.ts";
 *
 * const schema = new SecretSchema("org.example.Password", ["user"]);
 * const secret = new TextEncoder().encode("correct horse");
 *
 * await using service = await SecretService.open();
 * await service.store(schema, { user: "ada" }, secret, { label: "Ada" });
 * const found = await service.lookup(schema, { user: "ada" });
 * console.assert(new TextDecoder().decode(found) === "correct horse");
 * console.assert(await service.clear(schema, { user: "ada" }) === 1);
 * ```
 */
export class SecretService implements AsyncDisposable {
  readonly #context: Context;

  private constructor(context: Context) {
    this.#context = context;
  }

  /**
   * Connects to the session bus, which may start the service.
   *
   * @param options What ends its calls.
   * @returns The instance; dispose of it when it is done with.
   * @throws {LibraryError} If libsecret cannot be opened.
   * @throws {GLibError} If the bus refuses, or is not there.
   */
  static async open(
    options: SecretServiceOptions = {},
  ): Promise<SecretService> {
    const library = libsecret();
    const [cancellable, type] = await Promise.all([
      Cancellable.from(options.signal),
      library.secret_service_get_type(),
      pinned ??= pinLibrary("secret-1"),
    ]);
    const error = new OutPointer();
    const service = await library.secret_service_open_sync(
      type,
      null,
      SECRET_SERVICE_NONE,
      cancellable.pointer,
      error.cell,
    );
    if (service === null) {
      await cancellable[Symbol.asyncDispose]();
      throw await takeError(error, "secret_service_open_sync");
    }
    const { stable = false } = options;
    return new SecretService({ service, cancellable, objects: [], stable });
  }

  /**
   * Finds items in all collections. It unlocks nothing.
   *
   * @param schema Their schema; `undefined` for any.
   * @param attributes What they have.
   * @returns The items.
   * @throws {GLibError} If the service did not answer.
   */
  async find(
    schema: SecretSchema | undefined,
    attributes: Attributes,
  ): Promise<FoundItems> {
    const { service, cancellable, stable } = this.#context;
    const library = libsecret();
    await using table = await StringTable.from(attributes);
    const error = new OutPointer();
    const byPath = library.secret_service_search_for_dbus_paths_sync;
    if (!stable && byPath !== null && itemForPath() !== undefined) {
      const [unlocked, locked] = [new OutPointer(), new OutPointer()];
      const done = await byPath(
        service,
        schema?.buffer ?? null,
        table.pointer,
        cancellable.pointer,
        unlocked.cell,
        locked.cell,
        error.cell,
      );
      if (done === 0) {
        throw await takeError(
          error,
          "secret_service_search_for_dbus_paths_sync",
        );
      }
      const item = (path: string): SecretItem =>
        new SecretItem(this.#context, path);
      return {
        unlocked: (await takeStrings(unlocked)).map(item),
        locked: (await takeStrings(locked)).map(item),
      };
    }
    const list = await library.secret_service_search_sync(
      service,
      schema?.buffer ?? null,
      table.pointer,
      SECRET_SEARCH_ALL,
      cancellable.pointer,
      error.cell,
    );
    // No error and no list: nothing was found.
    if (error.value !== null) {
      throw await takeError(error, "secret_service_search_sync");
    }
    const found = {
      unlocked: [] as SecretItem[],
      locked: [] as SecretItem[],
    };
    for (const object of listElements(list)) {
      this.#context.objects.push(object);
      const item = new SecretItem(
        this.#context,
        await objectPath(object),
        object,
      );
      const locked = await library.secret_item_get_locked(object) !== 0;
      (locked ? found.locked : found.unlocked).push(item);
    }
    await glib().g_list_free(list);
    return found;
  }

  /**
   * The collection that new secrets belong in.
   *
   * @returns It, `undefined` if there is none.
   * @throws {GLibError} If the service did not answer.
   */
  async defaultCollection(): Promise<SecretCollection | undefined> {
    const { service, cancellable } = this.#context;
    const error = new OutPointer();
    const object = await libsecret().secret_collection_for_alias_sync(
      service,
      cString(SECRET_COLLECTION_DEFAULT),
      SECRET_COLLECTION_NONE,
      cancellable.pointer,
      error.cell,
    );
    if (error.value !== null) {
      throw await takeError(error, "secret_collection_for_alias_sync");
    }
    if (object === null) return undefined;
    return await this.#collection(object);
  }

  /**
   * Creates the default collection. The service asks the person for a
   * password, in a dialog of its own.
   *
   * @param label The collection's name.
   * @returns It, `undefined` if the dialog was dismissed.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async createDefaultCollection(
    label: string,
  ): Promise<SecretCollection | undefined> {
    const { service, cancellable } = this.#context;
    const error = new OutPointer();
    const object = await libsecret().secret_collection_create_sync(
      service,
      cString(label),
      cString(SECRET_COLLECTION_DEFAULT),
      SECRET_COLLECTION_CREATE_NONE,
      cancellable.pointer,
      error.cell,
    );
    if (error.value !== null) {
      const failure = await takeError(error, "secret_collection_create_sync");
      // gnome-keyring's dialog was dismissed: it answers with the path `/`,
      // and libsecret then finds no collection there.
      if (isDBusError(failure, G_DBUS_ERROR_UNKNOWN_METHOD)) return undefined;
      throw failure;
    }
    if (object === null) return undefined;
    return await this.#collection(object);
  }

  async #collection(object: Deno.PointerObject): Promise<SecretCollection> {
    this.#context.objects.push(object);
    return new SecretCollection(
      this.#context,
      await objectPath(object),
      object,
      await libsecret().secret_collection_get_locked(object) !== 0,
    );
  }

  /**
   * Unlocks a collection, or an item, which usually unlocks its collection.
   * The service asks the person for a password, in a dialog of its own.
   *
   * @param target What to unlock.
   * @returns Whether it is unlocked now; `false` if the dialog was dismissed,
   * or could not be shown.
   * @throws {GLibError} If the service did not answer.
   */
  async unlock(target: SecretCollection | SecretItem): Promise<boolean> {
    const { service, cancellable } = this.#context;
    const object = await target.proxy();
    // struct GList { gpointer data; GList *next; GList *prev; }
    const list = new BigUint64Array([
      Deno.UnsafePointer.value(object),
      0n,
      0n,
    ]);
    const error = new OutPointer();
    const count = await libsecret().secret_service_unlock_sync(
      service,
      list,
      cancellable.pointer,
      null,
      error.cell,
    );
    if (error.value !== null || count < 0) {
      throw await takeError(error, "secret_service_unlock_sync");
    }
    return count > 0;
  }

  /**
   * Whether whoever answers as the Secret Service also owns another name on
   * the bus. It starts nobody.
   *
   * @param name The other name, such as `org.gnome.keyring`.
   * @returns Whether the owner is the same.
   * @throws {GLibError} If the bus did not answer.
   */
  async alsoOwns(name: string): Promise<boolean> {
    const [service, other] = await Promise.all([
      this.#owner(SERVICE_NAME),
      this.#owner(name),
    ]);
    return service !== undefined && service === other;
  }

  async #owner(name: string): Promise<string | undefined> {
    const { service, cancellable } = this.#context;
    try {
      return await callMethod(service, {
        name: "org.freedesktop.DBus",
        path: "/org/freedesktop/DBus",
        interface: "org.freedesktop.DBus",
        method: "GetNameOwner",
        argument: name,
      }, cancellable);
    } catch (error) {
      if (isDBusError(error, G_DBUS_ERROR_NAME_HAS_NO_OWNER)) return undefined;
      throw error;
    }
  }

  /**
   * Looks a secret up. It opens no dialog.
   *
   * @param schema Its schema.
   * @param attributes What it is filed under.
   * @returns The secret, `undefined` if there is none. The bytes are the
   * caller's to overwrite.
   * @throws {SecretServiceError} If it is locked, or the default collection
   * is, where it could lie unseen.
   * @throws {GLibError} If the service did not answer.
   */
  async lookup(
    schema: SecretSchema,
    attributes: Attributes,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { unlocked, locked } = await this.find(schema, attributes);
    for (const item of unlocked) {
      const secret = await item.secret();
      if (secret !== undefined) return secret;
    }
    const hidden = unlocked.length > 0 || locked.length > 0 ||
      (await this.defaultCollection())?.locked;
    if (hidden) throw new SecretServiceError("locked");
    return undefined;
  }

  /**
   * Stores a secret in the default collection, in place of the one with the
   * same attributes.
   *
   * @param schema Its schema.
   * @param attributes What to file it under.
   * @param secret The secret; it stays the caller's.
   * @param options How it is called.
   * @throws {SecretServiceError} If the default collection is locked, or there
   * is none.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async store(
    schema: SecretSchema,
    attributes: Attributes,
    secret: Uint8Array<ArrayBuffer>,
    options: {
      /** The name that people see. */
      readonly label: string;
    },
  ): Promise<void> {
    const collection = await this.defaultCollection();
    if (collection === undefined) {
      throw new SecretServiceError("no-default-collection");
    }
    if (collection.locked) throw new SecretServiceError("locked");
    await collection.store(schema, attributes, secret, options);
  }

  /**
   * Erases secrets from all collections. It opens no dialog.
   *
   * @param schema Their schema.
   * @param attributes What they are filed under.
   * @returns How many were erased.
   * @throws {SecretServiceError} If one stays because it is locked.
   * @throws {GLibError} If the service did not answer.
   */
  async clear(
    schema: SecretSchema,
    attributes: Attributes,
  ): Promise<number> {
    const { unlocked, locked } = await this.find(schema, attributes);
    let erased = 0;
    for (const item of unlocked) if (await item.erase()) erased++;
    if (locked.length > 0 || erased < unlocked.length) {
      throw new SecretServiceError("locked");
    }
    return erased;
  }

  /** Ends the session, and frees what it held. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { service, cancellable, objects } = this.#context;
    await Promise.all(objects.splice(0).map(unref));
    await unref(service);
    await cancellable[Symbol.asyncDispose]();
  }
}

/** A collection of secrets: a keyring. Good for as long as its service. */
export class SecretCollection {
  /** Its object path. */
  readonly path: string;
  /** Whether it was locked when it was asked for. */
  readonly locked: boolean;
  readonly #context: Context;
  readonly #object: Deno.PointerObject;

  /** @ignore */
  constructor(
    context: Context,
    path: string,
    object: Deno.PointerObject,
    locked: boolean,
  ) {
    this.#context = context;
    this.path = path;
    this.#object = object;
    this.locked = locked;
  }

  /**
   * The native object.
   *
   * @returns The `SecretCollection *`.
   */
  proxy(): Promise<Deno.PointerObject> {
    return Promise.resolve(this.#object);
  }

  /**
   * Stores a secret in this collection, in place of the one with the same
   * attributes. A locked collection is not unlocked.
   *
   * @param schema Its schema.
   * @param attributes What to file it under.
   * @param secret The secret; it stays the caller's.
   * @param options How it is called.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async store(
    schema: SecretSchema,
    attributes: Attributes,
    secret: Uint8Array<ArrayBuffer>,
    options: {
      /** The name that people see. */
      readonly label: string;
    },
  ): Promise<void> {
    const library = libsecret();
    await using table = await StringTable.from(attributes);
    // Its copy lies in memory that is not swapped, and is wiped when freed.
    const value = await library.secret_value_new(
      secret,
      BigInt(secret.length),
      cString("text/plain"),
    );
    const error = new OutPointer();
    const item = await library.secret_item_create_sync(
      this.#object,
      schema.buffer,
      table.pointer,
      cString(options.label),
      value,
      SECRET_ITEM_CREATE_REPLACE,
      this.#context.cancellable.pointer,
      error.cell,
    );
    await library.secret_value_unref(value);
    if (item === null) throw await takeError(error, "secret_item_create_sync");
    await unref(item);
  }
}

/** An item: a secret and what it is filed under. Good as long as its service. */
export class SecretItem {
  /** Its object path, below that of its collection. */
  readonly path: string;
  readonly #context: Context;
  #object: Deno.PointerObject | undefined;

  /** @ignore */
  constructor(context: Context, path: string, object?: Deno.PointerObject) {
    this.#context = context;
    this.path = path;
    this.#object = object;
  }

  /**
   * The native object.
   *
   * @returns The `SecretItem *`.
   * @throws {GLibError} If the service did not answer.
   */
  async proxy(): Promise<Deno.PointerObject> {
    if (this.#object !== undefined) return this.#object;
    const { service, cancellable, objects } = this.#context;
    const error = new OutPointer();
    const object = await itemForPath()?.(
      service,
      cString(this.path),
      SECRET_ITEM_NONE,
      cancellable.pointer,
      error.cell,
    ) ?? null;
    if (object === null) {
      throw await takeError(error, "secret_item_new_for_dbus_path_sync");
    }
    objects.push(object);
    return this.#object = object;
  }

  /**
   * The secret.
   *
   * @returns It, `undefined` if the item is locked. The bytes are the caller's
   * to overwrite.
   * @throws {GLibError} If the service did not answer.
   */
  async secret(): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const value = await this.#value();
    if (value === null) return undefined;
    const library = libsecret();
    const length = new BigUint64Array(1);
    const text = await library.secret_value_get(value, length);
    const secret = copyBytes(text, Number(length[0] ?? 0n));
    await library.secret_value_unref(value);
    return secret;
  }

  async #value(): Promise<Deno.PointerValue> {
    const { service, cancellable } = this.#context;
    const library = libsecret();
    const error = new OutPointer();
    const byPath = library.secret_service_get_secret_for_dbus_path_sync;
    if (this.#object === undefined && byPath !== null) {
      const value = await byPath(
        service,
        cString(this.path),
        cancellable.pointer,
        error.cell,
      );
      if (error.value === null) return value;
    } else {
      const object = await this.proxy();
      const done = await library.secret_item_load_secret_sync(
        object,
        cancellable.pointer,
        error.cell,
      );
      if (done !== 0) return await library.secret_item_get_secret(object);
    }
    const failure = await takeError(error, "secret_item_load_secret_sync");
    const locked = failure.domain === "secret-error" &&
      failure.code === SECRET_ERROR_IS_LOCKED;
    if (locked) return null;
    throw failure;
  }

  /**
   * The name that people see.
   *
   * @returns It; a locked item's may be empty.
   * @throws {GLibError} If the service did not answer.
   */
  async label(): Promise<string> {
    const pointer = await libsecret().secret_item_get_label(await this.proxy());
    const label = readCString(pointer) ?? "";
    await glib().g_free(pointer);
    return label;
  }

  /**
   * One of its attributes.
   *
   * @param name The attribute's name.
   * @returns Its value, `undefined` if it has none.
   * @throws {GLibError} If the service did not answer.
   */
  async attribute(name: string): Promise<string | undefined> {
    const library = libsecret();
    const table = await library.secret_item_get_attributes(await this.proxy());
    if (table === null) return undefined;
    const value = await lookUpString(table, name);
    await glib().g_hash_table_unref(table);
    return value;
  }

  /**
   * Erases the item.
   *
   * @param options Whether the service may ask the person about it, in a
   * dialog of its own.
   * @returns Whether it is erased; `false` if that takes a dialog, which was
   * not allowed or was dismissed.
   * @throws {GLibError} If the service refused, or did not answer.
   */
  async erase(
    options: {
      /** @default {false} */
      readonly prompt?: boolean;
    } = {},
  ): Promise<boolean> {
    const { service, cancellable } = this.#context;
    if (options.prompt) {
      const error = new OutPointer();
      const done = await libsecret().secret_item_delete_sync(
        await this.proxy(),
        cancellable.pointer,
        error.cell,
      );
      if (error.value !== null) {
        throw await takeError(error, "secret_item_delete_sync");
      }
      return done !== 0;
    }
    // libsecret would carry out the prompt that this call may answer with.
    const prompt = await callMethod(service, {
      name: SERVICE_NAME,
      path: this.path,
      interface: "org.freedesktop.Secret.Item",
      method: "Delete",
    }, cancellable);
    return prompt === "/";
  }
}

function isDBusError(error: unknown, code: number): boolean {
  return error instanceof GLibError &&
    error.domain === "g-dbus-error-quark" && error.code === code;
}

function itemForPath():
  | NonNullable<
    LibSecret["secret_item_new_for_dbus_path_sync"]
  >
  | undefined {
  return libsecret().secret_item_new_for_dbus_path_sync ?? undefined;
}
