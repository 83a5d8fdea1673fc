import { describeRefusal, readSmallFile } from "../base/files.ts";
import { systemErrorCode } from "../base/system_error.ts";

/** A token as it lies in cargo's home: encrypted, with its index URL. */
export interface CredentialFile {
  /** Whose token it is; in clear, so that listing needs no decryption. */
  readonly indexUrl: string;
  /** What the service has encrypted, in Base64. */
  readonly blob: string;
}

/** What {@linkcode readCredentialFile} found. */
export type ReadCredential =
  | { readonly kind: "read"; readonly credential: CredentialFile }
  | { readonly kind: "absent" }
  /** It is there, or it cannot be seen whether it is. */
  | {
    readonly kind: "refused";
    /** A clause without its subject: `is not a regular file`. */
    readonly reason: string;
  };

/** What a change answers. */
export type ChangeOutcome =
  | { readonly kind: "done" }
  | { readonly kind: "aborted" }
  /** The folder is another user's, who could not read what is written now. */
  | { readonly kind: "foreign" }
  /** The system's name for the error, such as `ENOSPC`. */
  | { readonly kind: "failed"; readonly code: string };

/** Base64 of the longest token, and a long URL. */
const MAX_BYTES = 1024 * 1024;

/** Between two tries while another process writes the same token. */
const RETRY_MS = 10;

/** Where the token of a name lies. */
export function credentialFilePath(folder: string, hash: string): string {
  return `${folder}/.credential-keyring-${hash}.json`;
}

const NAME = /^\.credential-keyring-([0-9a-f]{64})\.json$/;

/**
 * Reads a token's file. It waits for nobody.
 *
 * Returns what it holds; `absent` only if it is certain that there is none.
 */
export function readCredentialFile(path: string): ReadCredential {
  try {
    Deno.lstatSync(path);
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return { kind: "absent" };
    // A folder that may not be entered may hold it.
    return { kind: "refused", reason: "cannot be looked at" };
  }
  const file = readSmallFile(path, { maxBytes: MAX_BYTES });
  if (file.kind === "absent") return file;
  if (file.kind === "refused") {
    return { kind: "refused", reason: describeRefusal(file, MAX_BYTES) };
  }
  const credential = parse(new TextDecoder().decode(file.bytes));
  return credential === undefined
    ? { kind: "refused", reason: "is damaged" }
    : { kind: "read", credential };
}

function parse(text: string): CredentialFile | undefined {
  try {
    const { "index-url": indexUrl, blob } = JSON.parse(text);
    return typeof indexUrl === "string" && typeof blob === "string"
      ? { indexUrl, blob }
      : undefined;
  } catch {
    return undefined;
  }
}

/**
 * The hashes of the tokens that lie in a folder. Other files are passed over.
 *
 * @throws {unknown} If the folder cannot be read.
 */
export function listCredentialFiles(folder: string): readonly string[] {
  try {
    return [...Deno.readDirSync(folder)].flatMap(({ name }) =>
      NAME.exec(name)?.[1] ?? []
    ).sort();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
}

/**
 * Writes a token's file beside it and renames it over: wherever the process is
 * killed, there is the old one or the new one, whole. When it is done, the new
 * one is on the disk.
 */
export async function writeCredentialFile(
  folder: string,
  path: string,
  credential: CredentialFile,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  const { indexUrl, blob } = credential;
  const text = JSON.stringify({ "index-url": indexUrl, blob }) + "\n";
  return await attempt(async () => {
    await Deno.mkdir(folder, { recursive: true, mode: 0o700 });
    if (isForeign(folder)) return { kind: "foreign" };
    const beside = newPath(path);
    using file = await openLocked(beside, signal);
    if (file === undefined) return { kind: "aborted" };
    try {
      await Deno.chmod(beside, 0o600);
      await writeAll(file, new TextEncoder().encode(text));
      await file.sync();
      await Deno.rename(beside, path);
    } catch (error) {
      await removeIfThere(beside);
      throw error;
    }
    await sync(folder);
    return { kind: "done" };
  });
}

/**
 * Removes a token's file.
 *
 * Returns `done`, `absent` if there was none, or why it is still there.
 */
export async function removeCredentialFile(
  folder: string,
  path: string,
): Promise<ChangeOutcome | { readonly kind: "absent" }> {
  return await attempt(async () => {
    // What a write that was killed has left behind.
    await removeIfThere(newPath(path));
    if (!await removeIfThere(path)) return { kind: "absent" };
    await sync(folder);
    return { kind: "done" };
  });
}

/**
 * Whether {@linkcode writeCredentialFile} could write, as far as that can be
 * told without a token. A folder that is not there is not made for that.
 */
export async function probeFolder(
  folder: string,
  signal: AbortSignal,
): Promise<ChangeOutcome> {
  return await attempt(async () => {
    if (await lstatIfThere(folder) === undefined) return { kind: "done" };
    if (isForeign(folder)) return { kind: "foreign" };
    const path = newPath(`${folder}/.credential-keyring-probe`);
    using file = await openLocked(path, signal);
    if (file === undefined) return { kind: "aborted" };
    await removeIfThere(path);
    return { kind: "done" };
  });
}

function isForeign(folder: string): boolean {
  const { uid } = Deno.statSync(folder);
  return uid !== null && uid !== Deno.uid();
}

async function attempt<T extends { readonly kind: string }>(
  change: () => Promise<T | ChangeOutcome>,
): Promise<T | ChangeOutcome> {
  try {
    return await change();
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return { kind: "failed", code };
  }
}

function newPath(path: string): string {
  return `${path}.new`;
}

/**
 * Opens the file that is written, empty and locked: two writers take turns, and
 * what a killed one has left behind is taken over. `undefined`: aborted.
 */
async function openLocked(
  path: string,
  signal: AbortSignal,
): Promise<Deno.FsFile | undefined> {
  while (!signal.aborted) {
    const entry = await lstatIfThere(path);
    // A pipe would be waited for, a link followed.
    if (entry !== undefined && !entry.isFile) await Deno.remove(path);
    const file = await Deno.open(path, {
      write: true,
      create: true,
      mode: 0o600,
    });
    try {
      // Whoever had the lock before has renamed the file away.
      if (await file.tryLock(true) && await isAt(path, file)) {
        await file.truncate(0);
        return file;
      }
    } catch (error) {
      file.close();
      throw error;
    }
    file.close();
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
  return undefined;
}

async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  const [here, there] = await Promise.all([file.stat(), lstatIfThere(path)]);
  return here.ino === there?.ino && here.dev === there.dev;
}

async function lstatIfThere(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  for (let written = 0; written < bytes.length;) {
    written += await file.write(bytes.subarray(written));
  }
}

/** A rename or a removal is on the disk once the folder is. */
async function sync(folder: string): Promise<void> {
  using directory = await Deno.open(folder);
  try {
    await directory.sync();
  } catch (error) {
    // Not every file system has this for folders (fsync(2)).
    if (systemErrorCode(error) !== "EINVAL") throw error;
  }
}

async function removeIfThere(path: string): Promise<boolean> {
  try {
    await Deno.remove(path);
    return true;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotADirectory
    ) return false;
    throw error;
  }
}
