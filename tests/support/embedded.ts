/** What `deno compile` has put into an executable. */
export interface Embedded {
  /** How it starts: permissions, flags, the entry point. */
  readonly metadata: Readonly<Record<string, unknown>>;
  /** The names of the files in it. */
  readonly files: readonly string[];
  /** How many bytes all of it takes. */
  readonly bytes: number;
}

/** Deno looks for these bytes in its own executable (cli/lib/standalone/binary.rs). */
const MAGIC = new TextEncoder().encode("d3n0l4nd");

/**
 * Reads back what `deno compile` has put into an executable: between two
 * marks the metadata, the packages, the modules' names, and the files, each
 * with its length in front.
 *
 * @throws {Error} If nothing is in it.
 */
export function readEmbedded(executable: Uint8Array): Embedded {
  const marks = [...findAll(executable)];
  for (const [i, start] of marks.entries()) {
    const end = marks.slice(i + 1).at(-1);
    const metadata = readJson(executable, start + MAGIC.length);
    if (metadata === undefined || end === undefined) continue;
    const section = executable.subarray(start, end);
    return {
      metadata,
      files: fileNames(new TextDecoder().decode(section)),
      bytes: section.length,
    };
  }
  throw new Error("nothing is embedded");
}

function* findAll(bytes: Uint8Array): Generator<number> {
  const [first = 0] = MAGIC;
  for (let i = bytes.indexOf(first); i >= 0; i = bytes.indexOf(first, i + 1)) {
    if (MAGIC.every((byte, j) => bytes[i + j] === byte)) yield i;
  }
}

/** An object behind its length; `undefined` if there is none. */
function readJson(
  bytes: Uint8Array,
  offset: number,
): Readonly<Record<string, unknown>> | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const length = Number(view.getBigUint64(offset, true));
  const start = offset + 8;
  if (length > 1_000_000 || bytes[start] !== "{".charCodeAt(0)) {
    return undefined;
  }
  return JSON.parse(
    new TextDecoder().decode(bytes.subarray(start, start + length)),
  );
}

/** The names in the table of files, which is JSON in front of their contents. */
function fileNames(section: string): string[] {
  return [...section.matchAll(/\{"File":\{"n":("(?:[^"\\]|\\.)*")/g)]
    .map(([, name]): string => JSON.parse(name ?? '""'));
}
