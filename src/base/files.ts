import { mayBeThere } from "../../ffi/presence.ts";

/** Why a file that is there was not read. */
export type UnreadableReason =
  /** A directory, a pipe, a device: opening it may block, or never end. */
  | "not-a-regular-file"
  | "too-large"
  /** The file does not open, or reading it fails. */
  | "unreadable"
  /** Deno opens nothing below `/dev`, `/proc` and `/sys` for this program. */
  | "out-of-reach"
  | "not-utf-8";

/** What {@linkcode readSmallFile} found. */
export type SmallFile =
  | {
    readonly kind: "read";
    /** All of it. */
    readonly bytes: Uint8Array<ArrayBuffer>;
    /** Of the file that was read, not of a link to it. */
    readonly info: Deno.FileInfo;
  }
  /** There is nothing at the path, for this user. */
  | { readonly kind: "absent" }
  | {
    readonly kind: "refused";
    readonly reason:
      | Exclude<UnreadableReason, "not-utf-8">
      | "link"
      | "dangling-link";
    /** `unreadable` only: the class of the error. Its message has the path. */
    readonly error?: string;
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
 * Reads a file that may be anything, without waiting for anybody: what is no
 * regular file (a FIFO would wait for a writer) is not opened. It is
 * synchronous: handing each call to another thread takes longer than the call.
 * Nothing is thrown: what cannot be read is `refused`.
 */
export function readSmallFile(
  path: string,
  options: ReadSmallFileOptions,
): SmallFile {
  if (!mayBeThere(path)) return { kind: "absent" };
  let isLink: boolean;
  try {
    isLink = Deno.lstatSync(path).isSymlink;
  } catch (error) {
    // In a folder that may not be entered cargo, too, sees no file.
    return isAbsence(error) || error instanceof Deno.errors.PermissionDenied
      ? { kind: "absent" }
      : refusal(error);
  }
  if (isLink && options.followLink === false) {
    return { kind: "refused", reason: "link" };
  }
  try {
    const reason = unreadableReason(Deno.statSync(path), options.maxBytes);
    if (reason !== undefined) return { kind: "refused", reason };
    using file = Deno.openSync(path);
    const info = file.statSync();
    const bytes = unreadableReason(info, options.maxBytes) ??
      readAtMost(file, info.size, options.maxBytes);
    return typeof bytes === "string"
      ? { kind: "refused", reason: bytes }
      : { kind: "read", bytes, info };
  } catch (error) {
    if (!isAbsence(error)) return refusal(error);
    return isLink
      ? { kind: "refused", reason: "dangling-link" }
      : { kind: "absent" };
  }
}

function refusal(error: unknown): SmallFile {
  if (error instanceof Deno.errors.NotCapable) {
    return { kind: "refused", reason: "out-of-reach" };
  }
  const name = error instanceof Error ? error.name : "unknown";
  return { kind: "refused", reason: "unreadable", error: name };
}

/**
 * Why {@linkcode readSmallFile} did not read a file: a clause without its
 * subject, such as `is not a regular file`.
 */
export function describeRefusal(
  file: Extract<SmallFile, { kind: "refused" }>,
  maxBytes: number,
): string {
  switch (file.reason) {
    case "out-of-reach":
      return "is below /dev, /proc or /sys, which this program may not read";
    case "not-a-regular-file":
      return "is not a regular file";
    case "too-large":
      return `is larger than ${maxBytes} bytes`;
    case "link":
      return "is a symbolic link";
    case "dangling-link":
      return "is a link to a file that is not there";
    case "unreadable":
      return file.error === "PermissionDenied"
        ? "may not be read"
        : `cannot be read (${file.error})`;
  }
}

/** What {@linkcode readRegularFile} answers. */
export type ReadOutcome =
  | { readonly kind: "text"; readonly text: string }
  /** No such file; a link that leads nowhere is one. */
  | { readonly kind: "absent" }
  | { readonly kind: "unreadable"; readonly reason: UnreadableReason };

/** More than any file of cargo's ever holds. */
const MAX_FILE_BYTES = 16 * 1024 * 1024;

/** Reads a file of cargo's as cargo does, with {@linkcode readSmallFile}. */
export function readRegularFile(path: string): ReadOutcome {
  const file = readSmallFile(path, { maxBytes: MAX_FILE_BYTES });
  switch (file.kind) {
    case "read":
      return decodeText(file.bytes);
    case "absent":
      return file;
    case "refused":
      return file.reason === "link" || file.reason === "dangling-link"
        ? { kind: "absent" }
        : { kind: "unreadable", reason: file.reason };
  }
}

/**
 * Why a file is not read, as far as its metadata tell; `undefined` if it can
 * be.
 */
export function unreadableReason(
  info: Pick<Deno.FileInfo, "isFile" | "size">,
  maxBytes = MAX_FILE_BYTES,
): "not-a-regular-file" | "too-large" | undefined {
  if (!info.isFile) return "not-a-regular-file";
  return info.size > maxBytes ? "too-large" : undefined;
}

/**
 * Decodes the bytes of a file as cargo does: strictly, and without taking a
 * byte order mark off.
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

/**
 * A file's permissions; `undefined` on Windows, which has none of this kind:
 * what Deno gives there is made up.
 */
export function permissionsOf({ mode }: Deno.FileInfo): number | undefined {
  return Deno.build.os === "windows" || mode === null
    ? undefined
    : mode & 0o7777;
}

/**
 * Whether an error says that there is nothing at a path: no entry, or no
 * folder on the way to it (`NotADirectory`).
 */
export function isAbsence(error: unknown): boolean {
  return error instanceof Deno.errors.NotFound ||
    error instanceof Deno.errors.NotADirectory;
}

/** All of a file that has this size, or has grown since it was measured. */
function readAtMost(
  file: Deno.FsFile,
  size: number,
  maxBytes: number,
): Uint8Array<ArrayBuffer> | "too-large" {
  let bytes = new Uint8Array(size + 1);
  let length = 0;
  while (length <= maxBytes) {
    if (length === bytes.length) {
      const longer = new Uint8Array(Math.min(2 * length, maxBytes + 1));
      longer.set(bytes);
      bytes = longer;
    }
    const read = file.readSync(bytes.subarray(length));
    if (read === null) return bytes.slice(0, length);
    length += read;
  }
  return "too-large";
}
