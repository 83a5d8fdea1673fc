import { openLibrary } from "./_library.ts";
import { type OutPointer, readCString } from "./_memory.ts";

// None of these waits for anybody.
const SYMBOLS = {
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
