/** What Deno has put into an executable behind its base. */
export interface Standalone {
  /** As Deno will read it when the program starts. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The names of the files inside. */
  readonly files: readonly string[];
  /** How many bytes it adds to the base. */
  readonly size: number;
}

const MAGIC = new TextEncoder().encode("d3n0l4nd");

/**
 * Reads back what `deno compile` wrote: the section lies between two marks, and
 * starts with the length of its metadata.
 *
 * @throws {Error} If there is no such section.
 */
export async function readStandalone(path: string): Promise<Standalone> {
  const bytes = await Deno.readFile(path);
  const end = lastIndexOf(bytes, bytes.length);
  let start = end;
  let metadata: Standalone["metadata"] | undefined;
  // The payload may have the mark in it: the first one has metadata behind it.
  while (metadata === undefined && start > 0) {
    start = lastIndexOf(bytes, start);
    if (start >= 0) metadata = jsonAt(bytes, start + MAGIC.length);
  }
  if (metadata === undefined) throw new Error(`${path} has no payload`);
  return {
    metadata,
    files: fileNames(bytes.subarray(start, end)),
    size: end + MAGIC.length - start,
  };
}

function lastIndexOf(bytes: Uint8Array, before: number): number {
  for (
    let at = bytes.lastIndexOf(MAGIC[0] ?? 0, before - 1);
    at >= 0;
    at = at === 0 ? -1 : bytes.lastIndexOf(MAGIC[0] ?? 0, at - 1)
  ) {
    if (MAGIC.every((byte, i) => bytes[at + i] === byte)) return at;
  }
  return -1;
}

/** What a length of 64 bits and as many bytes of JSON say, if they do. */
function jsonAt(
  bytes: Uint8Array,
  at: number,
): Readonly<Record<string, unknown>> | undefined {
  if (at + 8 > bytes.length) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = view.getBigUint64(at, true);
  if (length > BigInt(bytes.length - at - 8)) return undefined;
  const text = new TextDecoder().decode(
    bytes.subarray(at + 8, at + 8 + Number(length)),
  );
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Deno's list of the files is JSON between other data. */
function fileNames(payload: Uint8Array): readonly string[] {
  const text = new TextDecoder().decode(payload);
  return [...text.matchAll(/\{"File":\{"n":"([^"]+)","o":\[\d+,\d+\]/g)]
    .map(([, name]) => name ?? "");
}
