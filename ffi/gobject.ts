import { openLibrary } from "./_library.ts";

const SYMBOLS = {
  g_object_unref: {
    parameters: [
      "pointer", // gpointer object
    ],
    result: "void",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

/**
 * Gives a reference to a `GObject` back.
 *
 * @param pointer The `GObject *`; nothing happens for `null`.
 */
export async function unref(pointer: Deno.PointerValue): Promise<void> {
  if (pointer === null) return;
  symbols ??= openLibrary("gobject-2.0", SYMBOLS);
  await symbols.g_object_unref(pointer);
}
