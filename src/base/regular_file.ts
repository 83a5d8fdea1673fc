/** Why a file that is there was not read. */
export type UnreadableReason =
  /** A directory, a pipe, a device: opening it may block, or never end. */
  | "not-a-regular-file"
  | "too-large"
  /** The file does not open, or reading it fails. */
  | "unreadable"
  | "not-utf-8";

/** What {@linkcode readRegularFile} answers. */
export type ReadOutcome =
  | { readonly kind: "text"; readonly text: string }
  /** No such file; a link that leads nowhere is one. */
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly reason: UnreadableReason };

/** More than any file of cargo's ever holds. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/**
 * Reads a text file, and nothing else that may lie at its path: it is looked
 * at before it is opened, since opening a pipe blocks until somebody writes.
 * It is synchronous: handing each call to another thread takes longer than the
 * call.
 *
 * @param path The file; links are followed.
 * @returns The text, with its byte order mark if it has one.
 */
export function readRegularFile(path: string): ReadOutcome {
  try {
    const reason = unreadableReason(Deno.statSync(path));
    if (reason !== undefined) return { kind: "unreadable", reason };
    return decodeText(Deno.readFileSync(path));
  } catch (error) {
    return isAbsence(error)
      ? { kind: "absent" }
      : { kind: "unreadable", reason: "unreadable" };
  }
}

/**
 * Why a file is not read, as far as its metadata tell.
 *
 * @param info What `stat` says of it.
 * @returns The reason, or `undefined` if it can be read.
 */
export function unreadableReason(
  info: Pick<Deno.FileInfo, "isFile" | "size">,
): UnreadableReason | undefined {
  if (!info.isFile) return "not-a-regular-file";
  return info.size > MAX_FILE_BYTES ? "too-large" : undefined;
}

/**
 * Decodes the bytes of a file as cargo does: strictly, and without taking a
 * byte order mark off.
 *
 * @param bytes The file's bytes.
 * @returns The text, or that it is none.
 */
export function decodeText(
  bytes: Uint8Array,
): Exclude<ReadOutcome, { kind: "absent" }> {
  try {
    const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
    return { kind: "text", text: decoder.decode(bytes) };
  } catch {
    return { kind: "unreadable", reason: "not-utf-8" };
  }
}

/** `NotADirectory`: a file stands where a directory of the path should be. */
function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory;
}
