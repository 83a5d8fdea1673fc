/** A C string: UTF-8 with a NUL behind it. */
export type CString = Uint8Array<ArrayBuffer>;

/**
 * Encodes text as a C string.
 *
 * @param text The text; it must hold no NUL, where C would end it.
 * @returns The bytes, with the terminating NUL.
 * @throws {TypeError} If the text holds a NUL.
 */
export function cString(text: string): CString {
  if (text.includes("\0")) throw new TypeError("A C string cannot hold a NUL");
  return new TextEncoder().encode(text + "\0");
}

/**
 * Reads a C string that is not a secret: the result is a JavaScript string,
 * which cannot be wiped.
 *
 * @param pointer The string's address, or `null`.
 * @returns The text, or `undefined` for `null`.
 */
export function readCString(pointer: Deno.PointerValue): string | undefined {
  if (pointer === null) return undefined;
  return new Deno.UnsafePointerView(pointer).getCString();
}

/**
 * Copies foreign memory into bytes of our own.
 *
 * @param pointer Where it starts; `null` only with a length of 0.
 * @param length How many bytes.
 * @returns The copy.
 */
export function copyBytes(
  pointer: Deno.PointerValue,
  length: number,
): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  if (pointer !== null && length > 0) {
    new Deno.UnsafePointerView(pointer).copyInto(bytes);
  }
  return bytes;
}

/**
 * The address of a buffer, to be written into other memory. The caller keeps
 * the buffer reachable for as long as anything may follow the address: the
 * garbage collector does not see it there.
 *
 * @param buffer The buffer.
 * @returns Its address; 0 for an empty one.
 */
export function addressOf(buffer: BufferSource): bigint {
  return Deno.UnsafePointer.value(Deno.UnsafePointer.of(buffer));
}

/**
 * A place for an out-parameter such as `GError **error`: 8 bytes, zero at
 * first. Pass {@linkcode cell} as a `"buffer"`.
 */
export class OutPointer {
  /** What is passed to the call. */
  readonly cell: BigUint64Array<ArrayBuffer> = new BigUint64Array(1);

  /** What the call has put there; `null` if nothing. */
  get value(): Deno.PointerValue {
    return Deno.UnsafePointer.create(this.cell[0] ?? 0n);
  }
}
