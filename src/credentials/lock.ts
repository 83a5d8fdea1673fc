import type { Secret } from "../base/secret.ts";
import { systemErrorCode } from "../base/system_error.ts";
import { type ExclusiveLock, exclusiveLock } from "./exclusive_lock.ts";
import { type CredentialsTable, malformed, type UnusableFile } from "./file.ts";
import { baseName } from "../base/paths.ts";
import { decodeText, isAbsence, unreadableReason } from "../base/files.ts";
import { insertToken, removeToken, type SafeEdit } from "./safe_edit.ts";
import {
  loadTomlParser,
  type TomlDocument,
  type TomlParser,
  TomlSyntaxError,
} from "../toml/document.ts";
import { applyStep, type WriteStep } from "./write_plan.ts";

/** What the operating system had against it. */
export type FileFailure =
  | "no-space"
  | "read-only"
  | "denied"
  | "io"
  /** A link that leads nowhere: nothing is created behind it. */
  | "dangling-link";

/** What {@linkcode LockedCredentials.remove} and `insert` answer. */
export type EditOutcome =
  | { readonly kind: "edited" }
  | Exclude<SafeEdit, { kind: "steps" }>
  | {
    /** The file is as it was, as far as the system allows to say. */
    readonly kind: "failed";
    readonly reason:
      | FileFailure
      /** The path names another file by now, or somebody wrote without lock. */
      | "changed-meanwhile";
  };

/** What {@linkcode withCredentialsLock} answers. */
export type LockOutcome<T> =
  | { readonly kind: "done"; readonly value: T }
  | { readonly kind: "absent" }
  /** Somebody else holds the lock. */
  | { readonly kind: "busy" }
  | UnusableFile
  | { readonly kind: "failed"; readonly reason: FileFailure };

/** A credentials file under cargo's lock. */
export interface LockedCredentials {
  /** The file's path, as it was given. */
  readonly path: string;
  /** The file as it is now. */
  readonly document: TomlDocument;
  /**
   * Removes a registry's token: the bytes of that one key, and nothing else.
   */
  remove(table: CredentialsTable): Promise<EditOutcome>;
  /**
   * Inserts a registry's token. The file has mode 0600 before it is written; it
   * is `edited` only once it is on the disk.
   */
  insert(table: CredentialsTable, token: Secret): Promise<EditOutcome>;
}

/** How {@linkcode withCredentialsLock} opens the file. */
export interface CredentialsLockOptions {
  /**
   * Whether `use` is called for a file that does not exist, too: it is created
   * by an insertion, with mode 0600.
   */
  readonly create?: boolean;
  /**
   * Until when the lock is waited for. Without it, it is not waited for at
   * all.
   */
  readonly signal?: AbortSignal;
}

/** Between two tries for the lock: cargo holds it for a millisecond or two. */
const RETRY_MS = 20;

/**
 * Holds cargo's lock on the credentials file while something is done: the file
 * itself is locked, as `cargo login` locks it, and written in place.
 *
 * After every system call the file is one that cargo can read and holds every
 * token but the one that is being removed or inserted; no write crosses a
 * page, where a kill could cut it off.
 *
 * Answers what `use` has returned, or why it was not called; what it throws is
 * thrown.
 */
export async function withCredentialsLock<T>(
  path: string,
  use: (credentials: LockedCredentials) => Promise<T>,
  options: CredentialsLockOptions = {},
): Promise<LockOutcome<T>> {
  const toml = await loadTomlParser();
  const opened = await open(path);
  if (opened.kind === "absent" && options.create === true) {
    if (isLink(path)) return { kind: "failed", reason: "dangling-link" };
    using missing = new Missing(path, toml, options.signal);
    return { kind: "done", value: await use(missing) };
  }
  if (opened.kind !== "open") return opened;
  using file = opened.file;
  using exclusive = await exclusiveLock(path, file);
  const locked = await lock(path, file, exclusive, toml, options.signal);
  if (locked.kind !== "locked") return locked;
  return { kind: "done", value: await use(locked.credentials) };
}

type NotLocked = Exclude<LockOutcome<never>, { kind: "done" }>;

type OpenOutcome =
  | { readonly kind: "open"; readonly file: Deno.FsFile }
  | NotLocked;

/** Looks before it opens: opening something else may block. */
async function open(path: string): Promise<OpenOutcome> {
  try {
    const reason = unreadableReason(await Deno.stat(path));
    if (reason !== undefined) return { kind: "unusable", reason };
    const file = await Deno.open(path, { read: true, write: true });
    return { kind: "open", file };
  } catch (error) {
    return isAbsence(error) ? { kind: "absent" } : failed(error);
  }
}

/** `undefined`: by now there is a file. */
async function createFile(path: string): Promise<Deno.FsFile | undefined> {
  const directory = path.slice(0, path.length - baseName(path).length);
  await Deno.mkdir(directory, { recursive: true });
  try {
    return await Deno.open(path, {
      read: true,
      write: true,
      // It follows no link.
      createNew: true,
      mode: 0o600,
    });
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return undefined;
    throw error;
  }
}

type LockedOutcome =
  | { readonly kind: "locked"; readonly credentials: LockedCredentials }
  | NotLocked;

async function lock(
  path: string,
  file: Deno.FsFile,
  exclusive: ExclusiveLock,
  toml: TomlParser,
  signal: AbortSignal | undefined,
): Promise<LockedOutcome> {
  try {
    while (!await exclusive.tryLock()) {
      if (signal === undefined || signal.aborted) return { kind: "busy" };
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
    }
    const reason = unreadableReason(await file.stat());
    if (reason !== undefined) return { kind: "unusable", reason };
    const bytes = await readAll(file);
    const content = decodeText(bytes);
    if (content.kind !== "text") {
      return { kind: "unusable", reason: content.reason };
    }
    const document = toml.locate(content.text);
    const credentials = new Locked(path, file, toml, bytes, document);
    return { kind: "locked", credentials };
  } catch (error) {
    return error instanceof TomlSyntaxError ? malformed(error) : failed(error);
  }
}

/**
 * A file that does not exist. It is created once it is known how the token is
 * written into it: an empty file could not be removed again, since cargo may
 * have opened it by then and wait for the lock.
 */
class Missing implements LockedCredentials, Disposable {
  readonly path: string;
  readonly #toml: TomlParser;
  readonly #signal: AbortSignal | undefined;
  readonly #opened = new DisposableStack();
  #locked: LockedCredentials | undefined;

  constructor(
    path: string,
    toml: TomlParser,
    signal: AbortSignal | undefined,
  ) {
    this.path = path;
    this.#toml = toml;
    this.#signal = signal;
  }

  get document(): TomlDocument {
    return this.#locked?.document ?? this.#toml.locate("");
  }

  async remove(table: CredentialsTable): Promise<EditOutcome> {
    return await this.#locked?.remove(table) ?? { kind: "unchanged" };
  }

  async insert(table: CredentialsTable, token: Secret): Promise<EditOutcome> {
    if (this.#locked === undefined) {
      const text = token.reveal();
      const edit = insertToken(this.#toml, this.document, table, text);
      if (edit.kind !== "steps") return edit;
      const outcome = await this.#create();
      if (outcome.kind === "failed") return outcome;
      if (outcome.kind !== "locked") {
        return { kind: "failed", reason: "changed-meanwhile" };
      }
      this.#locked = outcome.credentials;
    }
    // Whoever came first has written there: this is about what it is now.
    return await this.#locked.insert(table, token);
  }

  async #create(): Promise<LockedOutcome> {
    const { path } = this;
    try {
      const file = await createFile(path);
      if (file === undefined) return { kind: "absent" };
      this.#opened.use(file);
      const exclusive = this.#opened.use(await exclusiveLock(path, file));
      return await lock(path, file, exclusive, this.#toml, this.#signal);
    } catch (error) {
      return failed(error);
    }
  }

  [Symbol.dispose](): void {
    this.#opened.dispose();
  }
}

function isLink(path: string): boolean {
  try {
    return Deno.lstatSync(path).isSymlink;
  } catch {
    return false;
  }
}

class Locked implements LockedCredentials {
  readonly path: string;
  readonly #file: Deno.FsFile;
  readonly #toml: TomlParser;
  #bytes: Uint8Array<ArrayBuffer>;
  #document: TomlDocument;

  constructor(
    path: string,
    file: Deno.FsFile,
    toml: TomlParser,
    bytes: Uint8Array<ArrayBuffer>,
    document: TomlDocument,
  ) {
    this.path = path;
    this.#file = file;
    this.#toml = toml;
    this.#bytes = bytes;
    this.#document = document;
  }

  get document(): TomlDocument {
    return this.#document;
  }

  async remove(table: CredentialsTable): Promise<EditOutcome> {
    const edit = removeToken(this.#toml, this.#document, table);
    if (edit.kind !== "steps") return edit;
    return await this.#carryOut(edit, async () => {
      await restrictMode(this.#file, this.path).catch(() => {});
      // The store has the token: a removal that is lost is made again.
      await this.#file.syncData().catch(() => {});
    });
  }

  async insert(table: CredentialsTable, token: Secret): Promise<EditOutcome> {
    const edit = insertToken(this.#toml, this.#document, table, token.reveal());
    if (edit.kind !== "steps") return edit;
    try {
      await restrictMode(this.#file, this.path);
    } catch (error) {
      return failed(error);
    }
    return await this.#carryOut(edit, () => this.#file.syncData());
  }

  async #carryOut(
    { steps, result }: Extract<SafeEdit, { kind: "steps" }>,
    finish: () => Promise<void>,
  ): Promise<EditOutcome> {
    let begun = false;
    try {
      if (!await this.#isUnchanged()) {
        return { kind: "failed", reason: "changed-meanwhile" };
      }
      begun = true;
      for (const step of steps) await carryOutStep(this.#file, step);
      await finish();
    } catch (error) {
      if (begun) await this.#undo(steps);
      return failed(error);
    }
    this.#bytes = steps.reduce(applyStep, this.#bytes);
    this.#document = result;
    return { kind: "edited" };
  }

  /** The path still names this file, and nobody wrote without the lock. */
  async #isUnchanged(): Promise<boolean> {
    const [named, opened] = await Promise.all([
      Deno.stat(this.path),
      this.#file.stat(),
    ]);
    if (named.ino !== opened.ino || named.dev !== opened.dev) return false;
    const bytes = await readAll(this.#file);
    return bytes.length === this.#bytes.length &&
      bytes.every((byte, i) => byte === this.#bytes[i]);
  }

  /** A disk that is full or broken: what can be put back is. */
  async #undo(steps: readonly WriteStep[]): Promise<void> {
    const offset = Math.min(
      ...steps.map((step) => step.kind === "write" ? step.offset : step.length),
    );
    const bytes = this.#bytes.slice(offset);
    try {
      await carryOutStep(this.#file, { kind: "write", offset, bytes });
    } catch {
      // The old bytes lie where they lay: at worst some were never changed.
    }
    await this.#file.truncate(this.#bytes.length).catch(() => {});
  }
}

async function carryOutStep(
  file: Deno.FsFile,
  step: WriteStep,
): Promise<void> {
  if (step.kind === "truncate") {
    await file.truncate(step.length);
    return;
  }
  await file.seek(step.offset, Deno.SeekMode.Start);
  for (let written = 0; written < step.bytes.length;) {
    written += await file.write(step.bytes.subarray(written));
  }
}

async function readAll(file: Deno.FsFile): Promise<Uint8Array<ArrayBuffer>> {
  const { size } = await file.stat();
  await file.seek(0, Deno.SeekMode.Start);
  const bytes = new Uint8Array(size);
  let length = 0;
  while (length < size) {
    const count = await file.read(bytes.subarray(length));
    if (count === null) break;
    length += count;
  }
  return bytes.slice(0, length);
}

/** Cargo gives the file mode 0600 too, after it has written. */
async function restrictMode(file: Deno.FsFile, path: string): Promise<void> {
  const { mode } = await file.stat();
  if (Deno.build.os === "windows" || mode === null) return;
  if ((mode & 0o777) !== 0o600) await Deno.chmod(path, 0o600);
}

function failed(
  error: unknown,
): { readonly kind: "failed"; readonly reason: FileFailure } {
  return { kind: "failed", reason: failureReason(error) };
}

/** `<errno.h>`: the numbers of what has no name in Deno. */
const EDQUOT = Deno.build.os === "linux" ? "122" : "69";
const EFBIG = "27";

/** @throws {unknown} What no system call has thrown. */
function failureReason(error: unknown): FileFailure {
  const code = systemErrorCode(error);
  switch (code) {
    case "ENOSPC":
    case EDQUOT:
    case EFBIG:
      return "no-space";
    case "EROFS":
      return "read-only";
    case "EACCES":
    case "EPERM":
      return "denied";
  }
  if (error instanceof Deno.errors.PermissionDenied) return "denied";
  if (code === undefined && !isSystemError(error)) throw error;
  return "io";
}

function isSystemError(error: unknown): boolean {
  return Object.values(Deno.errors).some((type) => error instanceof type);
}
