import { foldersAbove } from "../base/paths.ts";
import type { SmallFile } from "../base/files.ts";

/** The system-wide settings file, where the platform's default is not meant. */
export interface SystemFile {
  /** Its absolute path. */
  readonly path: string;
  /**
   * Whether only the system can write it (Windows: SYSTEM or Administrators
   * own it, and nobody else may write it or its folder).
   */
  isTrusted(): Promise<boolean>;
}

/** What decides whether others can write a file or what is in a folder. */
export interface Ownership {
  readonly uid: number | null;
  readonly mode: number | null;
}

const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/**
 * Whether root alone can write a file and put another in its place: root owns
 * it and every folder above it, and nobody else may write there. In a sticky
 * folder others may add files, but not replace root's.
 */
export function isRootOnly(
  file: Ownership,
  folders: readonly Ownership[],
): boolean {
  const isRoots = ({ uid }: Ownership): boolean => uid === 0;
  const isShut = (allowed: number) => ({ mode }: Ownership): boolean =>
    mode !== null && ((mode & OTHERS_WRITE) === 0 || (mode & allowed) !== 0);
  return [file, ...folders].every(isRoots) && isShut(0)(file) &&
    folders.every(isShut(STICKY));
}

/**
 * Whether only root can write the file that was read and the way to it, both
 * as it is written and with every link followed.
 */
export async function isRootsFile(
  path: string,
  file: Extract<SmallFile, { kind: "read" }>,
): Promise<boolean> {
  try {
    const real = await Deno.realPath(path);
    const folders = new Set(
      [path, real].flatMap((each) => foldersAbove(each, "unix")),
    );
    return isRootOnly(
      file.info,
      await Promise.all([...folders].map((folder) => Deno.stat(folder))),
    );
  } catch {
    return false;
  }
}
