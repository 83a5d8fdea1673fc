import { openLibrary } from "./_library.ts";
import { copyBytes, cString, OutPointer, readCString } from "./_memory.ts";
import { Cancellable } from "./gio.ts";
import { glib, GLibError, takeError } from "./glib.ts";
import { unref } from "./gobject.ts";

// Everything is `nonblocking`, as in glib.ts.
const GIO_SYMBOLS = {
  g_bus_get_sync: {
    parameters: [
      "i32", // GBusType bus_type
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // GDBusConnection *
    nonblocking: true,
  },
  g_dbus_connection_call_sync: {
    parameters: [
      "pointer", // GDBusConnection *connection
      "buffer", // const gchar *bus_name
      "buffer", // const gchar *object_path
      "buffer", // const gchar *interface_name
      "buffer", // const gchar *method_name
      "pointer", // GVariant *parameters
      "pointer", // const GVariantType *reply_type
      "i32", // GDBusCallFlags flags
      "i32", // gint timeout_msec
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // GVariant *
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

const GLIB_SYMBOLS = {
  g_variant_parse: {
    parameters: [
      "pointer", // const GVariantType *type
      "buffer", // const gchar *text
      "pointer", // const gchar *limit
      "pointer", // const gchar **endptr
      "buffer", // GError **error
    ],
    result: "pointer", // GVariant *
    nonblocking: true,
  },
  g_variant_get_variant: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "pointer", // GVariant *
    nonblocking: true,
  },
  g_variant_get_boolean: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  g_variant_get_fixed_array: {
    parameters: [
      "pointer", // GVariant *value
      "buffer", // gsize *n_elements
      "usize", // gsize element_size
    ],
    result: "pointer", // gconstpointer, the value's own
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

let gioSymbols:
  | Deno.DynamicLibrary<typeof GIO_SYMBOLS>["symbols"]
  | undefined;
let glibSymbols:
  | Deno.DynamicLibrary<typeof GLIB_SYMBOLS>["symbols"]
  | undefined;

function gio(): Deno.DynamicLibrary<typeof GIO_SYMBOLS>["symbols"] {
  return gioSymbols ??= openLibrary("gio-2.0", GIO_SYMBOLS);
}

function variants(): Deno.DynamicLibrary<typeof GLIB_SYMBOLS>["symbols"] {
  return glibSymbols ??= openLibrary("glib-2.0", GLIB_SYMBOLS);
}

const G_BUS_TYPE_SESSION = 2;
const DEFAULT_TIMEOUT = -1;

const BUS = "org.freedesktop.DBus";
const SERVICE = "org.freedesktop.secrets";
const SERVICE_PATH = "/org/freedesktop/secrets";
const SERVICE_INTERFACE = "org.freedesktop.Secret.Service";
const COLLECTION_INTERFACE = "org.freedesktop.Secret.Collection";
const DAEMON = "org.gnome.keyring";
// The name is its authors': <https://gitlab.gnome.org/GNOME/gnome-keyring>,
// daemon/dbus/org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface.xml
const UNLOCK_INTERFACE =
  "org.gnome.keyring.InternalUnsupportedGuiltRiddenInterface";
const DENIED = "org.gnome.keyring.Error.Denied";
const DH = "dh-ietf1024-sha256-aes128-cbc-pkcs7";

/** What {@linkcode lookAtKeyring} answers. */
export type KeyringState =
  /** The default collection is locked. */
  | { readonly kind: "needs-password"; readonly collection: Collection }
  /** The default collection is open. */
  | { readonly kind: "already-unlocked"; readonly collection: Collection }
  /** Another program provides the Secret Service. */
  | { readonly kind: "not-gnome-keyring" }
  /** There is no default collection. */
  | { readonly kind: "no-collection" };

/** What {@linkcode unlockKeyring} answers. */
export type UnlockAnswer =
  | Exclude<KeyringState, { readonly kind: "needs-password" }>
  /** The default collection is open now. */
  | { readonly kind: "unlocked"; readonly collection: Collection }
  /** The password is wrong; the collection stays locked. */
  | { readonly kind: "wrong-password"; readonly collection: Collection };

/** A collection of the Secret Service. */
export interface Collection {
  /** Its object path. */
  readonly path: string;
  /** What people know it by, such as `Login`. */
  readonly label: string;
}

/** How the keyring is asked. */
export interface KeyringOptions {
  /** Ends the calls. */
  readonly signal?: AbortSignal;
}

/**
 * Asks whether gnome-keyring's default collection is locked. It may start the
 * daemon, and never a prompt. Make sure that there is a session bus: without
 * one, GIO may start it.
 *
 * @param options What ends the calls.
 * @returns What is there.
 * @throws {GLibError} If the bus or the service fails.
 * @throws {LibraryError} If GLib is not installed.
 */
export async function lookAtKeyring(
  options: KeyringOptions = {},
): Promise<KeyringState> {
  await using cancellable = await Cancellable.from(options.signal);
  await using bus = await Bus.connect(cancellable);
  return await look(bus);
}

/**
 * Unlocks gnome-keyring's default collection, which is the login one unless
 * the user has chosen another, without a prompt of its own. Make sure that
 * there is a session bus: without one, GIO may start it.
 *
 * The password travels encrypted, so that it is not to be seen in what passes
 * over the bus. Of the copies that are made on the way only the caller's bytes
 * can be wiped; none is a string.
 *
 * @param password The password, UTF-8; it stays the caller's.
 * @param options What ends the calls.
 * @returns What came of it.
 * @throws {GLibError} If the bus or the service fails.
 * @throws {LibraryError} If GLib is not installed.
 */
export async function unlockKeyring(
  password: Uint8Array<ArrayBuffer>,
  options: KeyringOptions = {},
): Promise<UnlockAnswer> {
  await using cancellable = await Cancellable.from(options.signal);
  await using bus = await Bus.connect(cancellable);
  const state = await look(bus);
  if (state.kind !== "needs-password") return state;
  const { collection } = state;
  const session = await openSession(bus);
  const secret = await encrypt(password, session.key);
  try {
    const reply = await bus.call({
      path: SERVICE_PATH,
      interface: UNLOCK_INTERFACE,
      method: "UnlockWithMasterPassword",
      parameters: `(objectpath '${collection.path}', ` +
        `(objectpath '${session.path}', ${byteArray(secret.iv)}, ` +
        `${byteArray(secret.value)}, 'text/plain'))`,
    });
    await glib().g_variant_unref(reply);
  } catch (error) {
    // An error that GLib has no code for is told by the message's beginning.
    if (error instanceof GLibError && error.message.includes(DENIED)) {
      return { kind: "wrong-password", collection };
    }
    throw error;
  }
  if (await isLocked(bus, collection.path)) {
    throw new GLibError("", 0, "UnlockWithMasterPassword left it locked");
  }
  return { kind: "unlocked", collection };
}

async function look(bus: Bus): Promise<KeyringState> {
  // gnome-keyring 42 can abort when a client's first message is not a plain
  // one that is waited for (its race with the client's registration).
  await glib().g_variant_unref(
    await bus.call({
      path: SERVICE_PATH,
      interface: "org.freedesktop.DBus.Peer",
      method: "Ping",
      parameters: "()",
    }),
  );
  const owner = await bus.ownerOf(SERVICE);
  if (owner === undefined || owner !== await bus.ownerOf(DAEMON)) {
    return { kind: "not-gnome-keyring" };
  }
  const reply = await bus.call({
    path: SERVICE_PATH,
    interface: SERVICE_INTERFACE,
    method: "ReadAlias",
    parameters: "('default',)",
  });
  const path = await textOf(reply, 0);
  await glib().g_variant_unref(reply);
  if (path === "/") return { kind: "no-collection" };
  const label = await property(bus, path, "Label");
  const collection = { path, label: await takeText(label) };
  return {
    kind: await isLocked(bus, path) ? "needs-password" : "already-unlocked",
    collection,
  };
}

async function isLocked(bus: Bus, path: string): Promise<boolean> {
  const value = await property(bus, path, "Locked");
  const locked = await variants().g_variant_get_boolean(value) !== 0;
  await glib().g_variant_unref(value);
  return locked;
}

/** A property of a collection; the caller frees it. */
async function property(
  bus: Bus,
  path: string,
  name: string,
): Promise<Deno.PointerValue> {
  const reply = await bus.call({
    path,
    interface: "org.freedesktop.DBus.Properties",
    method: "Get",
    parameters: `('${COLLECTION_INTERFACE}', '${name}')`,
  });
  return await takeVariant(reply);
}

/** A session of the Secret Service: its path, and the key of its secrets. */
interface Session {
  readonly path: string;
  readonly key: CryptoKey;
}

/** The API's "Transfer of Secrets" with Diffie-Hellman. */
async function openSession(bus: Bus): Promise<Session> {
  const secret = bigIntOf(crypto.getRandomValues(new Uint8Array(GROUP_SIZE)));
  const ours = bytesOf(power(GENERATOR, secret));
  const reply = await bus.call({
    path: SERVICE_PATH,
    interface: SERVICE_INTERFACE,
    method: "OpenSession",
    parameters: `('${DH}', <${byteArray(ours)}>)`,
  });
  const path = await textOf(reply, 1);
  const value = await takeVariant(reply);
  const length = new BigUint64Array(1);
  const pointer = await variants()
    .g_variant_get_fixed_array(value, length, 1n);
  const theirs = bigIntOf(copyBytes(pointer, Number(length[0] ?? 0n)));
  await glib().g_variant_unref(value);
  if (theirs <= 1n || theirs >= PRIME - 1n) {
    throw new GLibError("", 0, "OpenSession gave an improper public key");
  }
  return { path, key: await keyOf(bytesOf(power(theirs, secret))) };
}

async function keyOf(shared: Uint8Array<ArrayBuffer>): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", shared, "HKDF", false, [
    "deriveKey",
  ]);
  shared.fill(0);
  const none = new Uint8Array();
  return await crypto.subtle.deriveKey(
    { name: "HKDF", hash: "SHA-256", salt: none, info: none },
    material,
    { name: "AES-CBC", length: 128 },
    false,
    ["encrypt"],
  );
}

async function encrypt(
  plain: Uint8Array<ArrayBuffer>,
  key: CryptoKey,
): Promise<{ iv: Uint8Array; value: Uint8Array }> {
  const iv = crypto.getRandomValues(new Uint8Array(16));
  // AES-CBC of Web Crypto pads as PKCS #7 does.
  const value = await crypto.subtle.encrypt(
    { name: "AES-CBC", iv },
    key,
    plain,
  );
  return { iv, value: new Uint8Array(value) };
}

// The Second Oakley Group, RFC 2409 section 6.2.
const GROUP_SIZE = 128;
const GENERATOR = 2n;
const PRIME = BigInt(
  "0xffffffffffffffffc90fdaa22168c234c4c6628b80dc1cd1" +
    "29024e088a67cc74020bbea63b139b22514a08798e3404dd" +
    "ef9519b3cd3a431b302b0a6df25f14374fe1356d6d51c245" +
    "e485b576625e7ec6f44c42e9a637ed6b0bff5cb6f406b7ed" +
    "ee386bfb5a899fa5ae9f24117c4b1fe649286651ece65381" +
    "ffffffffffffffff",
);

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = base;
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = result * square % PRIME;
    square = square * square % PRIME;
  }
  return result;
}

function bigIntOf(bytes: Uint8Array): bigint {
  return BigInt(`0x0${bytes.toHex()}`);
}

function bytesOf(number: bigint): Uint8Array<ArrayBuffer> {
  return Uint8Array.fromHex(number.toString(16).padStart(2 * GROUP_SIZE, "0"));
}

/** Bytes in the text form of GVariant. */
function byteArray(bytes: Uint8Array): string {
  return `@ay [${bytes.join()}]`;
}

/** A string or an object path of an answer. */
async function textOf(
  reply: Deno.PointerValue,
  index: number,
): Promise<string> {
  const value = await glib().g_variant_get_child_value(reply, BigInt(index));
  return await takeText(value);
}

/** Reads a string or an object path, and frees it. */
async function takeText(value: Deno.PointerValue): Promise<string> {
  const text = readCString(await glib().g_variant_get_string(value, null));
  await glib().g_variant_unref(value);
  return text ?? "";
}

/** What is in the variant that an answer begins with; frees the answer. */
async function takeVariant(
  reply: Deno.PointerValue,
): Promise<Deno.PointerValue> {
  const boxed = await glib().g_variant_get_child_value(reply, 0n);
  const value = await variants().g_variant_get_variant(boxed);
  await glib().g_variant_unref(boxed);
  await glib().g_variant_unref(reply);
  return value;
}

interface Call {
  readonly name?: string;
  readonly path: string;
  readonly interface: string;
  readonly method: string;
  /** All of them, in the text form of GVariant: nothing secret. */
  readonly parameters: string;
}

/** The session bus. */
class Bus implements AsyncDisposable {
  readonly #connection: Deno.PointerValue;
  readonly #cancellable: Cancellable;

  private constructor(
    connection: Deno.PointerValue,
    cancellable: Cancellable,
  ) {
    this.#connection = connection;
    this.#cancellable = cancellable;
  }

  static async connect(cancellable: Cancellable): Promise<Bus> {
    const error = new OutPointer();
    const connection = await gio().g_bus_get_sync(
      G_BUS_TYPE_SESSION,
      cancellable.pointer,
      error.cell,
    );
    if (connection === null) throw await takeError(error, "connecting");
    return new Bus(connection, cancellable);
  }

  /** The owner of a name on the bus; `undefined` if it has none. */
  async ownerOf(name: string): Promise<string | undefined> {
    try {
      const reply = await this.call({
        name: BUS,
        path: "/org/freedesktop/DBus",
        interface: BUS,
        method: "GetNameOwner",
        parameters: `('${name}',)`,
      });
      const owner = await textOf(reply, 0);
      await glib().g_variant_unref(reply);
      return owner;
    } catch (error) {
      if (error instanceof GLibError && isNameHasNoOwner(error)) {
        return undefined;
      }
      throw error;
    }
  }

  /** Calls a method; the caller frees the answer. */
  async call(call: Call): Promise<Deno.PointerValue> {
    const error = new OutPointer();
    const parameters = await variants().g_variant_parse(
      null,
      cString(call.parameters),
      null,
      null,
      error.cell,
    );
    if (parameters === null) throw await takeError(error, "g_variant_parse");
    // The parameters are floating: the call takes them over.
    const reply = await gio().g_dbus_connection_call_sync(
      this.#connection,
      cString(call.name ?? SERVICE),
      cString(call.path),
      cString(call.interface),
      cString(call.method),
      parameters,
      null,
      0,
      DEFAULT_TIMEOUT,
      this.#cancellable.pointer,
      error.cell,
    );
    if (reply === null) throw await takeError(error, call.method);
    return reply;
  }

  /** Gives the connection back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await unref(this.#connection);
  }
}

function isNameHasNoOwner(error: GLibError): boolean {
  // G_DBUS_ERROR_NAME_HAS_NO_OWNER
  return error.domain === "g-dbus-error-quark" && error.code === 3;
}
