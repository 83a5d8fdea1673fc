import { systemErrorCode } from "../base/system_error.ts";

/** What came of {@linkcode writeArchive}. */
export type WriteOutcome =
  | { readonly kind: "written" }
  /** There is a file of that name already; it is as it was. */
  | { readonly kind: "exists" }
  | {
    readonly kind: "failed";
    /** A clause without its subject: `is a directory`. */
    readonly reason: string;
  };

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
  if (present !== "absent" && present !== "file") return failed(present);
  if (present === "file" && !replace) return { kind: "exists" };
  const beside = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  try {
    write(beside, bytes);
    if (replace) {
      Deno.renameSync(beside, path);
      return { kind: "written" };
    }
    return nameNew(beside, path);
  } catch (error) {
    return failed(describe(error));
  } finally {
    removeIfThere(beside);
  }
}

/** A regular file, nothing, or what else is there. */
export function lookAt(path: string): "absent" | "file" | string {
  try {
    const info = Deno.lstatSync(path);
    if (info.isFile) return "file";
    return info.isDirectory
      ? "is a directory"
      : info.isSymlink
      ? "is a symbolic link: name the file itself"
      : "is not a regular file";
  } catch (error) {
    return error instanceof Deno.errors.NotFound ? "absent" : describe(error);
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
    if (lookAt(path) !== "absent") return { kind: "exists" };
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

function failed(reason: string): WriteOutcome {
  return { kind: "failed", reason };
}

function describe(error: unknown): string {
  if (error instanceof Deno.errors.NotFound) {
    return "cannot be created: its folder does not exist";
  }
  if (error instanceof Deno.errors.PermissionDenied) {
    return "cannot be created: its folder may not be written to";
  }
  const code = systemErrorCode(error);
  if (code === undefined) throw error;
  return code === "ENOSPC"
    ? "cannot be written: there is no space left on its device"
    : `cannot be written (${code})`;
}
