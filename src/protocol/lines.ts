const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;

/** More than any request needs, and little enough to hold in memory. */
const LONGEST_LINE = 16 * 1024 * 1024;

/** A source of bytes such as `Deno.stdin`. */
export interface ByteReader {
  /**
   * Reads into a buffer.
   *
   * `buffer`: where to put the bytes.
   * Returns how many were put there; `null` at the end of the input.
   */
  read(buffer: Uint8Array): Promise<number | null>;
}

/** A line of input. */
export type InputLine =
  | {
    readonly kind: "line";
    /** The bytes without `\n` or `\r\n`; wiped when the next line is asked for. */
    readonly bytes: Uint8Array<ArrayBuffer>;
  }
  /** A line over 16 MiB; its bytes were thrown away. */
  | { readonly kind: "too-long" };

/**
 * Splits a stream of bytes into lines. A line ends at `\n` or `\r\n`; the last
 * one may end with the input. Only what has been asked for is read, so a
 * request is seen as soon as it is whole.
 *
 * `reader`: where the bytes come from.
 */
export async function* readLines(
  reader: ByteReader,
): AsyncGenerator<InputLine, void, undefined> {
  let buffer = new Uint8Array(4096);
  let end = 0;
  let overlong = false;

  const take = (from: number, to: number): InputLine => {
    if (overlong) {
      overlong = false;
      return { kind: "too-long" };
    }
    const last = to > from && buffer[to - 1] === CARRIAGE_RETURN ? to - 1 : to;
    return { kind: "line", bytes: buffer.slice(from, last) };
  };

  while (true) {
    if (end === buffer.length) {
      if (buffer.length < LONGEST_LINE) {
        const larger = new Uint8Array(buffer.length * 2);
        larger.set(buffer);
        buffer.fill(0);
        buffer = larger;
      } else {
        overlong = true;
        end = 0;
      }
    }
    const count = await reader.read(buffer.subarray(end));
    if (count === null) break;

    let searched = end;
    let start = 0;
    end += count;
    while (true) {
      const at = buffer.subarray(0, end).indexOf(LINE_FEED, searched);
      if (at < 0) break;
      const line = take(start, at);
      buffer.fill(0, start, at);
      yield line;
      if (line.kind === "line") line.bytes.fill(0);
      start = searched = at + 1;
    }
    buffer.copyWithin(0, start, end);
    buffer.fill(0, end - start, end);
    end -= start;
  }
  if (end > 0 || overlong) {
    const line = take(0, end);
    buffer.fill(0);
    yield line;
    if (line.kind === "line") line.bytes.fill(0);
  }
}
