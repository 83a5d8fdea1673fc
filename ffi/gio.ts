import { openLibrary } from "./_library.ts";
import { cString, OutPointer } from "./_memory.ts";
import { GLibError, takeError } from "./glib.ts";
import { unref } from "./gobject.ts";
import { parseVariant, quote, Variant } from "./variant.ts";

// What may wait for somebody is `nonblocking`.
const SYMBOLS = {
  g_cancellable_new: {
    parameters: [],
    result: "pointer", // GCancellable *
  },
  g_cancellable_cancel: {
    parameters: [
      "pointer", // GCancellable *cancellable
    ],
    result: "void",
    nonblocking: true,
  },
  g_bus_get_sync: {
    parameters: [
      "i32", // GBusType bus_type
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // GDBusConnection *
    nonblocking: true,
  },
  g_dbus_connection_get_stream: {
    parameters: [
      "pointer", // GDBusConnection *connection
    ],
    result: "pointer", // GIOStream *, the connection's own
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
  g_socket_connection_get_socket: {
    parameters: [
      "pointer", // GSocketConnection *connection
    ],
    result: "pointer", // GSocket *, the connection's own
  },
  g_socket_get_credentials: {
    parameters: [
      "pointer", // GSocket *socket
      "buffer", // GError **error
    ],
    result: "pointer", // GCredentials *
  },
  g_credentials_get_unix_user: {
    parameters: [
      "pointer", // GCredentials *credentials
      "buffer", // GError **error
    ],
    result: "u32", // uid_t
  },
} as const satisfies Deno.ForeignLibraryInterface;

const G_BUS_TYPE_SESSION = 2;
const G_DBUS_CALL_FLAGS_NO_AUTO_START = 1;
const DEFAULT_TIMEOUT = -1;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function gio(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return symbols ??= openLibrary("gio-2.0", SYMBOLS);
}

/**
 * A `GCancellable` that an `AbortSignal` drives: the native calls that were
 * given it end when the signal is aborted, with `g-io-error-quark` 19.
 */
export class Cancellable implements AsyncDisposable {
  /** The `GCancellable *`; `null` without a signal. */
  readonly pointer: Deno.PointerValue;
  readonly #signal: AbortSignal | undefined;
  readonly #cancel = (): void => {
    this.#cancelled = gio().g_cancellable_cancel(this.pointer);
  };
  #cancelled: Promise<void> | undefined;

  private constructor(
    pointer: Deno.PointerValue,
    signal: AbortSignal | undefined,
  ) {
    this.pointer = pointer;
    this.#signal = signal;
    if (signal?.aborted) this.#cancel();
    else signal?.addEventListener("abort", this.#cancel, { once: true });
  }

  /**
   * Makes one.
   *
   * @param signal What ends the calls; without it nothing does.
   * @returns It; dispose of it when no call uses it any more.
   */
  static from(signal: AbortSignal | undefined): Cancellable {
    const pointer = signal === undefined ? null : gio().g_cancellable_new();
    return new Cancellable(pointer, signal);
  }

  /** Frees it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#signal?.removeEventListener("abort", this.#cancel);
    await this.#cancelled;
    await unref(this.pointer);
  }
}

/**
 * Connects to the session bus: all of this process share one connection, which
 * is closed when nobody has it any more.
 *
 * @param cancellable Ends it, unless another call is connecting already.
 * @returns The `GDBusConnection *`, the caller's to give back.
 * @throws {GLibError} If the bus refuses, or is not there.
 */
export async function sessionBus(
  cancellable: Cancellable,
): Promise<Deno.PointerObject> {
  const error = new OutPointer();
  const connection = await gio().g_bus_get_sync(
    G_BUS_TYPE_SESSION,
    cancellable.pointer,
    error.cell,
  );
  if (connection === null) throw takeError(error, "g_bus_get_sync");
  return connection;
}

/**
 * Which user runs the bus at the other end of a connection, as the kernel has
 * it (`SO_PEERCRED` and its like).
 *
 * @param connection The `GDBusConnection *`.
 * @returns The user id.
 * @throws {GLibError} If the system does not say.
 */
export async function peerUid(
  connection: Deno.PointerObject,
): Promise<number> {
  const stream = gio().g_dbus_connection_get_stream(connection);
  const socket = gio().g_socket_connection_get_socket(stream);
  const error = new OutPointer();
  const credentials = gio().g_socket_get_credentials(socket, error.cell);
  if (credentials === null) {
    throw takeError(error, "g_socket_get_credentials");
  }
  const uid = gio().g_credentials_get_unix_user(credentials, error.cell);
  await unref(credentials);
  if (error.value !== null) {
    throw takeError(error, "g_credentials_get_unix_user");
  }
  return uid;
}

/** A D-Bus method with its arguments. */
export interface MethodCall {
  /** The bus name of who is called. */
  readonly name: string;
  /** The object. */
  readonly path: string;
  /** The interface. */
  readonly interface: string;
  /** The method. */
  readonly method: string;
  /**
   * Its arguments: a tuple in the text form of GVariant, or a floating
   * `GVariant *`; none if absent.
   */
  readonly parameters?: string | Deno.PointerValue;
}

/**
 * Calls a method on a bus. It starts no service.
 *
 * @param connection The `GDBusConnection *`.
 * @param call What is called.
 * @param cancellable Ends the call.
 * @returns The answer, a tuple.
 * @throws {GLibError} What came instead of an answer.
 */
export async function callMethod(
  connection: Deno.PointerObject,
  call: MethodCall,
  cancellable: Cancellable,
): Promise<Variant> {
  const { parameters = null } = call;
  const error = new OutPointer();
  // The parameters are floating: the call takes them over.
  const reply = await gio().g_dbus_connection_call_sync(
    connection,
    cString(call.name),
    cString(call.path),
    cString(call.interface),
    cString(call.method),
    typeof parameters === "string" ? parseVariant(parameters) : parameters,
    null,
    G_DBUS_CALL_FLAGS_NO_AUTO_START,
    DEFAULT_TIMEOUT,
    cancellable.pointer,
    error.cell,
  );
  if (reply === null) throw takeError(error, call.method);
  return new Variant(reply);
}

const G_DBUS_ERROR_NAME_HAS_NO_OWNER = 3;

/**
 * Who owns a name on a bus. It starts nobody.
 *
 * @param connection The `GDBusConnection *`.
 * @param name The name.
 * @param cancellable Ends the call.
 * @returns The unique name; `undefined` if nobody does.
 * @throws {GLibError} If the bus did not answer.
 */
export async function ownerOf(
  connection: Deno.PointerObject,
  name: string,
  cancellable: Cancellable,
): Promise<string | undefined> {
  try {
    using reply = await callMethod(connection, {
      name: "org.freedesktop.DBus",
      path: "/org/freedesktop/DBus",
      interface: "org.freedesktop.DBus",
      method: "GetNameOwner",
      parameters: `(${quote(name)},)`,
    }, cancellable);
    using owner = reply.child(0);
    return owner.text();
  } catch (error) {
    const nobody = error instanceof GLibError &&
      error.domain === "g-dbus-error-quark" &&
      error.code === G_DBUS_ERROR_NAME_HAS_NO_OWNER;
    if (nobody) return undefined;
    throw error;
  }
}
