import { openLibrary } from "./_library.ts";
import { cString, OutPointer, readCString } from "./_memory.ts";
import { glib, takeError } from "./glib.ts";
import { unref } from "./gobject.ts";

const SYMBOLS = {
  g_cancellable_new: {
    parameters: [],
    result: "pointer", // GCancellable *
    nonblocking: true,
  },
  g_cancellable_cancel: {
    parameters: [
      "pointer", // GCancellable *cancellable
    ],
    result: "void",
    nonblocking: true,
  },
  g_dbus_proxy_get_connection: {
    parameters: [
      "pointer", // GDBusProxy *proxy
    ],
    result: "pointer", // GDBusConnection *, the proxy's own
    nonblocking: true,
  },
  g_dbus_proxy_get_object_path: {
    parameters: [
      "pointer", // GDBusProxy *proxy
    ],
    result: "pointer", // const gchar *
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
  static async from(signal: AbortSignal | undefined): Promise<Cancellable> {
    const pointer = signal === undefined
      ? null
      : await gio().g_cancellable_new();
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
 * The object path that a `GDBusProxy` stands for.
 *
 * @param proxy The `GDBusProxy *`.
 * @returns The path.
 */
export async function objectPath(proxy: Deno.PointerValue): Promise<string> {
  return readCString(await gio().g_dbus_proxy_get_object_path(proxy)) ?? "";
}

/** A D-Bus method with no arguments or one string. */
export interface MethodCall {
  /** The bus name of who is called. */
  readonly name: string;
  /** The object. */
  readonly path: string;
  /** The interface. */
  readonly interface: string;
  /** The method. */
  readonly method: string;
  /** Its one argument, a string; none if absent. */
  readonly argument?: string;
}

/**
 * Calls a method on the bus of a proxy. It starts no service.
 *
 * @param proxy The `GDBusProxy *` whose connection is used.
 * @param call What is called.
 * @param cancellable Ends the call.
 * @returns The first value of the answer, a string or an object path.
 * @throws {GLibError} What came instead of an answer.
 */
export async function callMethod(
  proxy: Deno.PointerValue,
  call: MethodCall,
  cancellable: Cancellable,
): Promise<string> {
  const { name, path, interface: iface, method, argument } = call;
  let parameters: Deno.PointerValue = null;
  if (argument !== undefined) {
    const text = await glib().g_variant_new_string(cString(argument));
    const children = new BigUint64Array([Deno.UnsafePointer.value(text)]);
    parameters = await glib().g_variant_new_tuple(children, 1n);
  }
  const error = new OutPointer();
  // The parameters are floating: the call takes them over.
  const reply = await gio().g_dbus_connection_call_sync(
    await gio().g_dbus_proxy_get_connection(proxy),
    cString(name),
    cString(path),
    cString(iface),
    cString(method),
    parameters,
    null,
    G_DBUS_CALL_FLAGS_NO_AUTO_START,
    DEFAULT_TIMEOUT,
    cancellable.pointer,
    error.cell,
  );
  if (reply === null) throw await takeError(error, method);
  const value = await glib().g_variant_get_child_value(reply, 0n);
  const text = readCString(await glib().g_variant_get_string(value, null));
  await glib().g_variant_unref(value);
  await glib().g_variant_unref(reply);
  return text ?? "";
}
