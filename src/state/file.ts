import { readSmallFile } from "../base/files.ts";
import { systemErrorCode } from "../base/system_error.ts";
import { formatState, type ParsedState, parseState } from "./format.ts";
import { EMPTY_STATE, type State, statePath } from "./state.ts";

/**
 * The lock is on a file of its own: the state is replaced by a rename, so that
 * readers need no lock and never see half of it, and a lock on a file that has
 * been replaced excludes nobody.
 */
const LOCK_NAME = ".credential-keyring-state.lock";

/** Written whole, then renamed. Only who holds the lock has it. */
const NEW_NAME = ".credential-keyring-state.new";

/** Thousands of registries. */
const MAX_BYTES = 1024 * 1024;

/** Between two tries for the lock, which is held for a few milliseconds. */
const RETRY_MS = 10;

/** How {@linkcode updateState} treats other processes. */
export interface UpdateStateOptions {
  /**
   * How long to try again while another process writes. A notice is not worth
   * any waiting; what a later command relies on is worth a moment.
   */
  readonly patienceMs?: number;
}

/** A new state; it may be called again. */
export type StateChange = (state: State) => State | Promise<State>;

/**
 * Reads what is remembered. It takes no lock and fails in no way: what cannot
 * be read is no memory.
 */
export function readState(cargoHome: string): State {
  const parsed = readFile(cargoHome);
  return parsed.kind === "state" ? parsed.state : EMPTY_STATE;
}

/**
 * Changes what is remembered: under the lock, on the state as it is then. The
 * file is there as it was or as it should be, wherever the process is killed.
 *
 * It fails in no way either, and writes nothing into a folder that another
 * user owns: under `sudo` the owner could not read it afterwards.
 *
 * Returns whether the change is in the file.
 */
export async function updateState(
  cargoHome: string,
  change: StateChange,
  options: UpdateStateOptions = {},
): Promise<boolean> {
  const end = Date.now() + (options.patienceMs ?? 0);
  while (true) {
    const outcome = await tryUpdate(cargoHome, change);
    if (outcome !== "busy") return outcome === "done";
    if (Date.now() >= end) return false;
    await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
  }
}

type UpdateOutcome = "done" | "busy" | "impossible";

async function tryUpdate(
  cargoHome: string,
  change: StateChange,
): Promise<UpdateOutcome> {
  try {
    const { uid } = await Deno.stat(cargoHome);
    if (uid !== null && uid !== Deno.uid()) return "impossible";
    using lock = await openLock(`${cargoHome}/${LOCK_NAME}`);
    if (lock === undefined) return "impossible";
    if (!await lock.tryLock(true)) return "busy";
    try {
      return await updateLocked(cargoHome, change);
    } finally {
      // A process that is being started may still have the file open, too; on
      // Windows none inherits it.
      if (Deno.build.os !== "windows") lock.unlockSync();
    }
  } catch (error) {
    if (systemErrorCode(error) !== undefined) return "impossible";
    throw error;
  }
}

async function updateLocked(
  cargoHome: string,
  change: StateChange,
): Promise<UpdateOutcome> {
  const parsed = readFile(cargoHome);
  if (parsed.kind === "untouchable") return "impossible";
  const before = parsed.kind === "state" ? parsed.state : EMPTY_STATE;
  const after = await change(before);
  if (after === before) return "done";

  const bytes = withinBounds(after);
  if (bytes === undefined) return "impossible";
  const path = `${cargoHome}/${NEW_NAME}`;
  await removeIfThere(path);
  try {
    // `createNew` (O_EXCL) follows no link.
    using file = await Deno.open(path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
    await writeAll(file, bytes);
    await file.syncData();
  } catch (error) {
    await removeIfThere(path);
    throw error;
  }
  try {
    await Deno.rename(path, statePath(cargoHome));
    return "done";
  } catch (error) {
    await removeIfThere(path);
    // Windows refuses while a reader has the file open.
    if (error instanceof Deno.errors.PermissionDenied) return "busy";
    throw error;
  }
}

/**
 * What is written must be read again: where it all is too much, the notices go
 * first. `undefined`: it is too much even without them.
 */
function withinBounds(state: State): Uint8Array<ArrayBuffer> | undefined {
  return [state, { ...state, notices: [], kept: [] }]
    .map((bounded) => new TextEncoder().encode(formatState(bounded)))
    .find((bytes) => bytes.length <= MAX_BYTES);
}

/** Opens the lock file, if nothing else lies there. */
async function openLock(path: string): Promise<Deno.FsFile | undefined> {
  try {
    return await Deno.open(path, {
      write: true,
      createNew: true,
      mode: 0o600,
    });
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  // What is no regular file is not opened: a FIFO would wait for a reader.
  const { isFile } = await Deno.lstat(path);
  return isFile ? await Deno.open(path, { write: true }) : undefined;
}

function readFile(cargoHome: string): ParsedState {
  const file = readSmallFile(statePath(cargoHome), {
    maxBytes: MAX_BYTES,
    followLink: false,
  });
  switch (file.kind) {
    case "absent":
      return { kind: "state", state: EMPTY_STATE };
    case "refused":
      return { kind: "untouchable" };
    case "read":
      return parseState(new TextDecoder().decode(file.bytes));
  }
}

async function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array<ArrayBuffer>,
): Promise<void> {
  let written = 0;
  while (written < bytes.length) {
    written += await file.write(bytes.subarray(written));
  }
}

async function removeIfThere(path: string): Promise<void> {
  try {
    await Deno.remove(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
}
