import { openLibrary } from "./_library.ts";
import { cString, OutPointer, readCString } from "./_memory.ts";
import { takeError, takeStrings } from "./glib.ts";

// Everything is `nonblocking`, as in glib.ts.
const SYMBOLS = {
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
  g_variant_new_tuple: {
    parameters: [
      "buffer", // GVariant * const *children
      "usize", // gsize n_children
    ],
    result: "pointer", // GVariant *
    nonblocking: true,
  },
  g_variant_get_type_string: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "pointer", // const gchar *
    nonblocking: true,
  },
  g_variant_get_child_value: {
    parameters: [
      "pointer", // GVariant *value
      "usize", // gsize index_
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
  g_variant_lookup_value: {
    parameters: [
      "pointer", // GVariant *dictionary
      "buffer", // const gchar *key
      "pointer", // const GVariantType *expected_type
    ],
    result: "pointer", // GVariant *
    nonblocking: true,
  },
  g_variant_get_string: {
    parameters: [
      "pointer", // GVariant *value
      "pointer", // gsize *length
    ],
    result: "pointer", // const gchar *
    nonblocking: true,
  },
  g_variant_dup_objv: {
    parameters: [
      "pointer", // GVariant *value
      "pointer", // gsize *length
    ],
    result: "pointer", // gchar **
    nonblocking: true,
  },
  g_variant_get_boolean: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "i32", // gboolean
    nonblocking: true,
  },
  g_variant_get_uint64: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "u64", // guint64
    nonblocking: true,
  },
  g_variant_unref: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "void",
    nonblocking: true,
  },
} as const satisfies Deno.ForeignLibraryInterface;

let symbols: Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] | undefined;

function variants(): Deno.DynamicLibrary<typeof SYMBOLS>["symbols"] {
  return symbols ??= openLibrary("glib-2.0", SYMBOLS);
}

/**
 * A string in the text form of GVariant, which has JSON's escapes.
 *
 * @param text The string.
 * @returns Its text form.
 */
export function quote(text: string): string {
  return JSON.stringify(text.toWellFormed());
}

/**
 * A dictionary of strings in the text form of GVariant.
 *
 * @param entries What is in it.
 * @returns Its text form.
 */
export function dictionary(entries: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(entries).map(([key, value]) =>
    `${quote(key)}: ${quote(value)}`
  );
  return `@a{ss} {${pairs.join()}}`;
}

/**
 * Makes a `GVariant` from its text form.
 *
 * @param text The text form; nothing secret.
 * @returns The `GVariant *`, floating: whoever is given it takes it over.
 * @throws {GLibError} If it is not well formed.
 */
export async function parseVariant(text: string): Promise<Deno.PointerObject> {
  const error = new OutPointer();
  const pointer = await variants().g_variant_parse(
    null,
    cString(text),
    null,
    null,
    error.cell,
  );
  if (pointer === null) throw await takeError(error, "g_variant_parse");
  return pointer;
}

/**
 * Makes a tuple.
 *
 * @param children What is in it; floating ones are taken over.
 * @returns The `GVariant *`, floating.
 */
export async function tuple(
  ...children: readonly Deno.PointerObject[]
): Promise<Deno.PointerValue> {
  const addresses = new BigUint64Array(
    children.map((child) => Deno.UnsafePointer.value(child)),
  );
  return await variants().g_variant_new_tuple(
    addresses,
    BigInt(children.length),
  );
}

/** A `GVariant` that is read. What is asked for must be what it is. */
export class Variant implements AsyncDisposable {
  readonly #pointer: Deno.PointerValue;

  /**
   * Takes a reference over.
   *
   * @param pointer The `GVariant *`.
   */
  constructor(pointer: Deno.PointerValue) {
    this.#pointer = pointer;
  }

  /** A member of a tuple or an array. */
  async child(index: number): Promise<Variant> {
    return new Variant(
      await variants().g_variant_get_child_value(this.#pointer, BigInt(index)),
    );
  }

  /** What is in a variant. */
  async boxed(): Promise<Variant> {
    return new Variant(await variants().g_variant_get_variant(this.#pointer));
  }

  /** A value of a dictionary with strings as keys; `undefined` for none. */
  async value(key: string): Promise<Variant | undefined> {
    const pointer = await variants().g_variant_lookup_value(
      this.#pointer,
      cString(key),
      null,
    );
    return pointer === null ? undefined : new Variant(pointer);
  }

  /** A string or an object path. */
  async text(): Promise<string> {
    return readCString(
      await variants().g_variant_get_string(this.#pointer, null),
    ) ?? "";
  }

  /** An array of object paths. */
  async paths(): Promise<string[]> {
    return await takeStrings(
      await variants().g_variant_dup_objv(this.#pointer, null),
    );
  }

  /** A boolean. */
  async boolean(): Promise<boolean> {
    return await variants().g_variant_get_boolean(this.#pointer) !== 0;
  }

  /** A `uint64`; `undefined` if it is anything else. */
  async uint64(): Promise<number | undefined> {
    const type = await variants().g_variant_get_type_string(this.#pointer);
    return readCString(type) === "t"
      ? Number(await variants().g_variant_get_uint64(this.#pointer))
      : undefined;
  }

  /** Gives the reference back. */
  async [Symbol.asyncDispose](): Promise<void> {
    await variants().g_variant_unref(this.#pointer);
  }
}
