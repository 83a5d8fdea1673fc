import { openLibrary, pinLibrary } from "../_library.ts";

/** `SecretValue`: what both of libsecret's interfaces give and take. */
export const SECRET_VALUE_SYMBOLS = {
  secret_value_new: {
    parameters: [
      "buffer", // const gchar *secret
      "isize", // gssize length
      "buffer", // const gchar *content_type
    ],
    result: "pointer", // SecretValue *
  },
  secret_value_get: {
    parameters: [
      "pointer", // SecretValue *value
      "buffer", // gsize *length
    ],
    result: "pointer", // const gchar *
  },
  secret_value_unref: {
    parameters: [
      "pointer", // gpointer value
    ],
    result: "void",
  },
} as const satisfies Deno.ForeignLibraryInterface;

// What waits for the bus is `nonblocking`.
const SYMBOLS = {
  secret_service_get_type: {
    parameters: [],
    result: "usize", // GType
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
  ...SECRET_VALUE_SYMBOLS,
  // <libsecret/secret-paths.h> has these three only with
  // SECRET_WITH_UNSTABLE; every libsecret-1.so.0 since 0.18 exports them.
  secret_service_get_secret_for_dbus_path_sync: {
    parameters: [
      "pointer", // SecretService *self
      "buffer", // const gchar *item_path
      "pointer", // GCancellable *cancellable
      "buffer", // GError **error
    ],
    result: "pointer", // SecretValue *
    nonblocking: true,
  },
  secret_service_encode_dbus_secret: {
    parameters: [
      "pointer", // SecretService *service
      "pointer", // SecretValue *value
    ],
    result: "pointer", // GVariant *, floating
  },
  secret_service_prompt_at_dbus_path_sync: {
    parameters: [
      "pointer", // SecretService *self
      "buffer", // const gchar *prompt_path
      "pointer", // GCancellable *cancellable
      "pointer", // const GVariantType *return_type
      "buffer", // GError **error
    ],
    result: "pointer", // GVariant *
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/**
 * libsecret's functions; the first call opens the library, which then stays
 * loaded until the process ends.
 *
 * @returns The functions.
 * @throws {LibraryError} If libsecret cannot be opened.
 */
export function libsecret(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  if (symbols === undefined) {
    symbols = openLibrary("secret-1", SYMBOLS);
    pinLibrary("secret-1");
  }
  return symbols;
}
