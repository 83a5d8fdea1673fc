/** What {@linkcode readSmallFile} found. */
export type SmallFile =
  | {
    readonly kind: "read";
    /** All of it. */
    readonly bytes: Uint8Array<ArrayBuffer>;
    /** Of the file that was read, not of a link to it. */
    readonly info: Deno.FileInfo;
  }
  | { readonly kind: "absent" }
  | {
    readonly kind: "refused";
    /** A clause without its subject: `is not a regular file`. */
    readonly reason: string;
  };

/** Which files {@linkcode readSmallFile} reads. */
export interface ReadSmallFileOptions {
  /** A longer file is refused. */
  readonly maxBytes: number;
  /**
   * Whether a symbolic link is followed; else it is refused.
   *
   * @default {true}
   */
  readonly followLink?: boolean;
}

/**
 * Reads a small file that may be anything, without waiting for anybody: what
 * is no regular file (a FIFO would wait for a writer) is not opened. A link
 * that leads nowhere is refused rather than absent. It is synchronous: handing
 * each call to another thread takes longer than the call.
 *
 * @param path The file.
 * @param options Which files are read.
 * @returns The bytes, or why there are none.
 *
 * @example Usage
 * ```ts
 * import { readSmallFile } from "./read_small_file.ts";
 *
 * const file = readSmallFile("settings.toml", { maxBytes: 65536 });
 * const length = file.kind === "read" ? file.bytes.length : 0;
 * ```
 */
export function readSmallFile(
  path: string,
  options: ReadSmallFileOptions,
): SmallFile {
  let entry: Deno.FileInfo;
  try {
    entry = Deno.lstatSync(path);
  } catch (error) {
    return isAbsence(error) ? { kind: "absent" } : refuse(error);
  }
  try {
    if (entry.isSymlink) {
      if (options.followLink === false) {
        return { kind: "refused", reason: "is a symbolic link" };
      }
      entry = Deno.statSync(path);
    }
    if (!entry.isFile) return { kind: "refused", reason: NOT_REGULAR };
    using file = Deno.openSync(path);
    const info = file.statSync();
    if (!info.isFile) return { kind: "refused", reason: NOT_REGULAR };
    const bytes = info.size > options.maxBytes
      ? undefined
      : readAtMost(file, info.size);
    return bytes === undefined
      ? {
        kind: "refused",
        reason: `is larger than ${options.maxBytes} bytes`,
      }
      : { kind: "read", bytes, info };
  } catch (error) {
    return refuse(error);
  }
}

/**
 * Whether there is nothing at a path for this user: no entry, no folder on the
 * way (`NotADirectory`), or one that may not be entered.
 */
function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory ||
    error instanceof Deno.errors.PermissionDenied;
}

const NOT_REGULAR = "is not a regular file";

/** The whole file, or `undefined` if it has become longer meanwhile. */
function readAtMost(
  file: Deno.FsFile,
  maxBytes: number,
): Uint8Array<ArrayBuffer> | undefined {
  const bytes = new Uint8Array(maxBytes + 1);
  let length = 0;
  while (length < bytes.length) {
    const read = file.readSync(bytes.subarray(length));
    if (read === null) return bytes.slice(0, length);
    length += read;
  }
  return undefined;
}

function refuse(error: unknown): SmallFile {
  if (error instanceof Deno.errors.NotFound) {
    return { kind: "refused", reason: "is a link to a file that is not there" };
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return { kind: "refused", reason: "may not be read" };
  }
  // The class alone: the message repeats the path.
  const detail = error instanceof Error ? ` (${error.name})` : "";
  return { kind: "refused", reason: `cannot be read${detail}` };
}
