import {
  type AccessEntry,
  type FileSecurity,
  fileSecurity,
} from "../../ffi/file_security.ts";
import { knownFolder } from "../../ffi/shell32.ts";
import { foldersAbove } from "../base/paths.ts";
import type { SystemFile } from "./system_file.ts";

const FILE_NAME = "cargo-credential-keyring.toml";

/** SYSTEM, Administrators, TrustedInstaller ("Well-known SIDs", Microsoft). */
const SYSTEM_SIDS: ReadonlySet<string> = new Set([
  "S-1-5-18",
  "S-1-5-32-544",
  "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
]);

/** `OWNER RIGHTS`: what it is allowed, the owner is. */
const OWNER_RIGHTS = "S-1-3-4";

const INHERIT_ONLY = 0x08;
/** ACCESS_DENIED_ACE_TYPE and its OBJECT, CALLBACK and CALLBACK_OBJECT forms. */
const DENYING_TYPES: ReadonlySet<number> = new Set([1, 6, 10, 12]);

// Access rights, <winnt.h>.
const FILE_WRITE_DATA = 0x2;
const FILE_APPEND_DATA = 0x4;
const FILE_DELETE_CHILD = 0x40;
const DELETE = 0x1_0000;
const WRITE_DAC = 0x4_0000;
const WRITE_OWNER = 0x8_0000;
const GENERIC_ALL = 0x1000_0000;
const GENERIC_WRITE = 0x4000_0000;

/** What replaces a file, or a folder above it. */
const REPLACES = DELETE | WRITE_DAC | WRITE_OWNER | GENERIC_ALL;
/** What changes a file. */
const CHANGES_FILE = REPLACES | GENERIC_WRITE | FILE_WRITE_DATA |
  FILE_APPEND_DATA;
/** What replaces a file in a folder. Adding another one to it does not. */
const CHANGES_FOLDER = REPLACES | FILE_DELETE_CHILD;

/**
 * Whether the system alone can write a file and put another in its place:
 * SYSTEM, Administrators or TrustedInstaller own it and every folder above it,
 * and nobody else may change the file, or replace what is in a folder.
 */
export function isSystemOnly(
  file: FileSecurity,
  folders: readonly FileSecurity[],
): boolean {
  return isShut(file, CHANGES_FILE) &&
    folders.every((folder) => isShut(folder, CHANGES_FOLDER));
}

/** Whether the system owns it, and nobody else has one of these rights. */
function isShut({ owner, entries }: FileSecurity, rights: number): boolean {
  return SYSTEM_SIDS.has(owner) && entries !== null &&
    !entries.some((entry) => opens(entry, rights));
}

/** A denial may come after what it should deny: it counts for nothing. */
function opens(
  { type, flags, mask, sid }: AccessEntry,
  rights: number,
): boolean {
  return (mask & rights) !== 0 && (flags & INHERIT_ONLY) === 0 &&
    !DENYING_TYPES.has(type) && !SYSTEM_SIDS.has(sid) && sid !== OWNER_RIGHTS;
}

/**
 * The system-wide settings file of Windows, in the known folder ProgramData:
 * the environment variable of that name is the user's to set. `undefined`
 * outside of Windows.
 */
export function windowsSystemFile(): SystemFile | undefined {
  if (Deno.build.os !== "windows") return undefined;
  const folder = knownFolder("ProgramData");
  if (folder === undefined) return undefined;
  const path = `${folder}\\${FILE_NAME}`;
  return { path, isTrusted: () => isSystemFile(path) };
}

/**
 * Whether only the system can write a file and the way to it, both as it is
 * written and with every link followed.
 */
export async function isSystemFile(path: string): Promise<boolean> {
  try {
    const real = await Deno.realPath(path);
    const folders = new Set(
      [path, real].flatMap((each) => foldersAbove(each, "windows")),
    );
    return isSystemOnly(fileSecurity(real), [...folders].map(fileSecurity));
  } catch {
    return false;
  }
}
