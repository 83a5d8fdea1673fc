/** A wide string of Windows: UTF-16, little-endian, with a NUL behind it. */
export type WideString = Uint16Array<ArrayBuffer>;

/**
 * Encodes text as a wide string.
 *
 * @param text The text; it must hold no NUL, where Windows would end it.
 * @returns The code units, with the terminating NUL.
 * @throws {TypeError} If the text holds a NUL.
 */
export function wideString(text: string): WideString {
  if (text.includes("\0")) {
    throw new TypeError("A wide string cannot hold a NUL");
  }
  const units = new Uint16Array(text.length + 1);
  for (let i = 0; i < text.length; i++) units[i] = text.charCodeAt(i);
  return units;
}

/**
 * Reads a wide string that is not a secret.
 *
 * @param pointer The string's address, or `null`.
 * @returns The text, or `undefined` for `null`.
 */
export function readWideString(pointer: Deno.PointerValue): string | undefined {
  if (pointer === null) return undefined;
  const view = new Deno.UnsafePointerView(pointer);
  let text = "";
  for (let i = 0;; i++) {
    const unit = view.getUint16(2 * i);
    if (unit === 0) return text;
    text += String.fromCharCode(unit);
  }
}
