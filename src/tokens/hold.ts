import type { Deadline } from "../base/deadline.ts";
import type { CredentialsTable } from "../credentials/file.ts";
import {
  type LockedCredentials,
  withCredentialsLock,
} from "../credentials/lock.ts";
import { type RemovalOutcome, removeLocked } from "./move.ts";
import type { Obstacle } from "./reason.ts";
import type { Registry } from "./registry.ts";

/** The credentials file under cargo's lock, or why it cannot be edited. */
export type HeldFile = LockedCredentials | Obstacle;

/** How long cargo's lock on the credentials file is waited for, at most. */
const LOCK_MS = 10_000;

/**
 * Does something while nobody moves a registry's token into the store or out of
 * it: under cargo's lock on the credentials file, which is waited for, but not
 * for the whole of the deadline. Where that file cannot be locked, because it is
 * not there or not to be read, nobody moves anything either.
 *
 * Returns what `use` returned; `busy`: somebody else has kept the lock.
 */
export async function holdFile<T>(
  registry: Registry,
  deadline: Deadline,
  use: (file: HeldFile) => Promise<T>,
): Promise<T | "busy"> {
  const { path } = await registry.plaintext();
  const unlocked = { kind: "not-locked" } as const;
  if (path === "") return await use(unlocked);
  const outcome = await withCredentialsLock(path, async (file) => {
    // What was read before may have changed while the lock was waited for.
    registry.refresh();
    return await use(file);
  }, {
    signal: AbortSignal.timeout(Math.min(deadline.remaining / 2, LOCK_MS)),
  });
  switch (outcome.kind) {
    case "done":
      return outcome.value;
    case "busy":
      return "busy";
    case "absent":
      return await use(unlocked);
    default:
      return await use(outcome);
  }
}

/** Removes a token from a file that is held. */
export async function removeHeld(
  file: HeldFile,
  table: CredentialsTable,
): Promise<RemovalOutcome> {
  return "kind" in file
    ? { kind: "left", why: file }
    : await removeLocked(file, table);
}
