import { openLibrary } from "./_library.ts";
import { cString, OutPointer, readCString } from "./_memory.ts";
import { takeError, takeStrings } from "./glib.ts";

// None of these waits for anybody.
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
  },
  g_variant_new_tuple: {
    parameters: [
      "buffer", // GVariant * const *children
      "usize", // gsize n_children
    ],
    result: "pointer", // GVariant *
  },
  g_variant_get_type_string: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "pointer", // const gchar *
  },
  g_variant_get_child_value: {
    parameters: [
      "pointer", // GVariant *value
      "usize", // gsize index_
    ],
    result: "pointer", // GVariant *
  },
  g_variant_get_variant: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "pointer", // GVariant *
  },
  g_variant_lookup_value: {
    parameters: [
      "pointer", // GVariant *dictionary
      "buffer", // const gchar *key
      "pointer", // const GVariantType *expected_type
    ],
    result: "pointer", // GVariant *
  },
  g_variant_get_string: {
    parameters: [
      "pointer", // GVariant *value
      "pointer", // gsize *length
    ],
    result: "pointer", // const gchar *
  },
  g_variant_dup_objv: {
    parameters: [
      "pointer", // GVariant *value
      "pointer", // gsize *length
    ],
    result: "pointer", // gchar **
  },
  g_variant_get_boolean: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "i32", // gboolean
  },
  g_variant_get_uint64: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "u64", // guint64
  },
  g_variant_unref: {
    parameters: [
      "pointer", // GVariant *value
    ],
    result: "void",
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
export function parseVariant(text: string): Deno.PointerObject {
  const error = new OutPointer();
  const pointer = variants().g_variant_parse(
    null,
    cString(text),
    null,
    null,
    error.cell,
  );
  if (pointer === null) throw takeError(error, "g_variant_parse");
  return pointer;
}

/**
 * Makes a tuple.
 *
 * @param children What is in it; floating ones are taken over.
 * @returns The `GVariant *`, floating.
 */
export function tuple(
  ...children: readonly Deno.PointerObject[]
): Deno.PointerValue {
  const addresses = new BigUint64Array(
    children.map((child) => Deno.UnsafePointer.value(child)),
  );
  return variants().g_variant_new_tuple(
    addresses,
    BigInt(children.length),
  );
}

/** A `GVariant` that is read. What is asked for must be what it is. */
export class Variant implements Disposable {
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
  child(index: number): Variant {
    return new Variant(
      variants().g_variant_get_child_value(this.#pointer, BigInt(index)),
    );
  }

  /** What is in a variant. */
  boxed(): Variant {
    return new Variant(variants().g_variant_get_variant(this.#pointer));
  }

  /** A value of a dictionary with strings as keys; `undefined` for none. */
  value(key: string): Variant | undefined {
    const pointer = variants().g_variant_lookup_value(
      this.#pointer,
      cString(key),
      null,
    );
    return pointer === null ? undefined : new Variant(pointer);
  }

  /** A string or an object path. */
  text(): string {
    return readCString(
      variants().g_variant_get_string(this.#pointer, null),
    ) ?? "";
  }

  /** An array of object paths. */
  paths(): string[] {
    return takeStrings(
      variants().g_variant_dup_objv(this.#pointer, null),
    );
  }

  /** A boolean. */
  boolean(): boolean {
    return variants().g_variant_get_boolean(this.#pointer) !== 0;
  }

  /** A `uint64`; `undefined` if it is anything else. */
  uint64(): number | undefined {
    const type = variants().g_variant_get_type_string(this.#pointer);
    return readCString(type) === "t"
      ? Number(variants().g_variant_get_uint64(this.#pointer))
      : undefined;
  }

  /** Gives the reference back. */
  [Symbol.dispose](): void {
    variants().g_variant_unref(this.#pointer);
  }
}
