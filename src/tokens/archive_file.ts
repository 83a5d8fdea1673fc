import { systemErrorCode } from "../base/system_error.ts";

/** Why no archive can be written to a path. */
export type ArchiveFault =
  | {
    readonly kind:
      | "directory"
      | "link"
      | "not-a-regular-file"
      | "no-folder"
      | "denied"
      | "no-space";
  }
  | {
    readonly kind: "failed";
    /** The system's name for it, such as `EIO`. */
    readonly code: string;
  };

/** What came of {@linkcode writeArchive}. */
export type WriteOutcome =
  | { readonly kind: "written" }
  /** There is a file of that name already; it is as it was. */
  | { readonly kind: "exists" }
  | ArchiveFault;

/**
 * Writes a file, all of it or nothing: under another name in the same folder,
 * readable by its owner alone, then given its name. Whatever stops this half
 * way, a file of that name is the old one or the whole new one.
 *
 * `replace`: whether a file that is there already may go.
 */
export function writeArchive(
  path: string,
  bytes: Uint8Array<ArrayBuffer>,
  replace: boolean,
): WriteOutcome {
  const present = lookAt(path);
  if (present.kind === "file") {
    if (!replace) return { kind: "exists" };
  } else if (present.kind !== "absent") return present;
  const beside = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    write(beside, bytes);
    if (replace) {
      Deno.renameSync(beside, path);
      return { kind: "written" };
    }
    return nameNew(beside, path);
  } catch (error) {
    return faultOf(error);
  } finally {
    removeIfThere(beside);
  }
}

/** A regular file, nothing, or what else is there. */
export function lookAt(
  path: string,
): { readonly kind: "absent" } | { readonly kind: "file" } | ArchiveFault {
  try {
    const info = Deno.lstatSync(path);
    if (info.isFile) return { kind: "file" };
    if (info.isDirectory) return { kind: "directory" };
    return { kind: info.isSymlink ? "link" : "not-a-regular-file" };
  } catch (error) {
    return error instanceof Deno.errors.NotFound
      ? { kind: "absent" }
      : faultOf(error);
  }
}

function write(path: string, bytes: Uint8Array<ArrayBuffer>): void {
  using file = Deno.openSync(path, {
    write: true,
    createNew: true,
    mode: 0o600,
  });
  for (let sent = 0; sent < bytes.length;) {
    sent += file.writeSync(bytes.subarray(sent));
  }
  file.syncSync();
}

/** Gives the file its name unless another file has got that meanwhile. */
function nameNew(beside: string, path: string): WriteOutcome {
  try {
    Deno.linkSync(beside, path);
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return { kind: "exists" };
    // A file system without hard links, such as that of a USB stick.
    if (lookAt(path).kind !== "absent") return { kind: "exists" };
    Deno.renameSync(beside, path);
  }
  return { kind: "written" };
}

function removeIfThere(path: string): void {
  try {
    Deno.removeSync(path);
  } catch {
    // It has its own name by now, or was never made.
  }
}

function faultOf(error: unknown): ArchiveFault {
  if (error instanceof Deno.errors.NotFound) return { kind: "no-folder" };
  if (error instanceof Deno.errors.PermissionDenied) return { kind: "denied" };
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code === "ENOSPC" ? { kind: "no-space" } : { kind: "failed", code };
}
