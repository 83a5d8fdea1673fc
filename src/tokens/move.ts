import { type CredentialsTable, findToken } from "../credentials/file.ts";
import {
  type LockedCredentials,
  withCredentialsLock,
} from "../credentials/lock.ts";
import { checkToken } from "../cargo/token.ts";
import { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  StoreFailure,
} from "../stores/credential_store.ts";
import type { FileObstacle, Obstacle } from "./reason.ts";
import type { Registry } from "./registry.ts";
import { storeToken } from "./store_token.ts";

/** What came of moving a token from the file into the store. */
export type MoveOutcome =
  /** It is in the store, where it lasts, and no longer in the file. */
  | { readonly kind: "moved" }
  /** It is in both. */
  | { readonly kind: "stored"; readonly why: Obstacle }
  /** Somebody else holds cargo's lock on the file. */
  | { readonly kind: "busy" }
  /** The file holds something else by now. */
  | { readonly kind: "file-changed" }
  /** The store answers differently by now. */
  | { readonly kind: "store-changed" }
  /** The store did not take it; the file is as it was. */
  | { readonly kind: "not-stored"; readonly failure: StoreFailure }
  /** The file cannot be opened or read for it. */
  | { readonly kind: "no-file"; readonly why: FileObstacle };

/** What came of removing a token from the file. */
export type RemovalOutcome =
  | { readonly kind: "removed" }
  /** There was none. */
  | { readonly kind: "none" }
  | { readonly kind: "left"; readonly why: Obstacle };

/** A token of the credentials file, and where it belongs. */
export interface FileToken {
  /** The credentials file. */
  readonly path: string;
  /** Its table there. */
  readonly table: CredentialsTable;
  /** What it was when it was read; it must still be that. */
  readonly token: Secret;
}

/** How {@linkcode moveToken} goes about it. */
export interface MoveOptions {
  readonly signal: AbortSignal;
  /**
   * What the store may hold, to be written over. Without it only a store that
   * has nothing, or that very token, is written to.
   */
  readonly over?: Secret;
  /**
   * Whether the token stays in the file as well.
   */
  readonly keepFile?: boolean;
}

/** How {@linkcode removeStored} goes about it. */
export interface RemoveOptions {
  readonly signal: AbortSignal;
  /**
   * Whether the file's token is known to be out of use, so that the store may
   * hold another one in its place.
   */
  readonly superseded?: boolean;
}

/**
 * Moves a token from the credentials file into the store, so that after every
 * system call it is in at least one of the two: under cargo's lock on the file
 * the token is read again, the store is asked again, written, and read back
 * through another connection; only then the file is edited. No call opens a
 * dialog.
 */
export async function moveToken(
  from: FileToken,
  store: CredentialStore,
  key: RegistryRef,
  options: MoveOptions,
): Promise<MoveOutcome> {
  const outcome = await withCredentialsLock(
    from.path,
    (file) => moveLocked(file, from, store, key, options),
  );
  switch (outcome.kind) {
    case "done":
      return outcome.value;
    case "busy":
      return { kind: "busy" };
    case "absent":
      return { kind: "file-changed" };
    default:
      return { kind: "no-file", why: outcome };
  }
}

/** How long a move may take of what is left of the deadline. */
const MOVE_MS = 5_000;

/** Moves the plaintext token of a registry, if it still is this one. */
export async function movePlaintext(
  registry: Registry,
  token: Secret,
  signal: AbortSignal,
): Promise<MoveOutcome> {
  const { path, table } = await registry.plaintext();
  if (table === undefined) return { kind: "file-changed" };
  return await moveToken(
    { path, table, token },
    await registry.store(),
    registry.ref,
    { signal: AbortSignal.any([signal, AbortSignal.timeout(MOVE_MS)]) },
  );
}

async function moveLocked(
  file: LockedCredentials,
  from: FileToken,
  store: CredentialStore,
  key: RegistryRef,
  options: MoveOptions,
): Promise<MoveOutcome> {
  const { signal } = options;
  if (!holdsStill(file, from)) return { kind: "file-changed" };
  const before = await store.get(key, { signal });
  switch (before.kind) {
    case "absent":
      break;
    case "found": {
      const mayWrite = [from.token, options.over].some((token) =>
        token?.equals(before.token)
      );
      before.token.wipe();
      if (!mayWrite) return { kind: "store-changed" };
      break;
    }
    default:
      return { kind: "not-stored", failure: before };
  }

  const prepared = await store.prepare({ signal });
  if (prepared.kind !== "ready") {
    return { kind: "not-stored", failure: prepared };
  }
  const kept = await storeToken(store, key, from.token, { signal });
  if (kept.kind !== "stored") return { kind: "not-stored", failure: kept };

  if (options.keepFile === true) {
    return { kind: "stored", why: { kind: "as-asked" } };
  }
  if (kept.keeps !== "on-disk") {
    return { kind: "stored", why: { kind: kept.keeps } };
  }
  const removed = await removeLocked(file, from.table);
  return removed.kind === "left"
    ? { kind: "stored", why: removed.why }
    : { kind: "moved" };
}

/** Whether the token is what it was when it was read. */
function holdsStill(
  file: LockedCredentials,
  { table, token }: FileToken,
): boolean {
  const found = findToken(file.document, table);
  if (found === undefined) return false;
  const current = Secret.fromString(found.entry.string);
  const still = current.equals(token);
  current.wipe();
  return still;
}

/** Removes a token from a locked credentials file. */
export async function removeLocked(
  file: LockedCredentials,
  table: CredentialsTable,
): Promise<RemovalOutcome> {
  const removed = await file.remove(table);
  switch (removed.kind) {
    case "edited":
      return { kind: "removed" };
    case "unchanged":
      return { kind: "none" };
    default:
      return { kind: "left", why: removed };
  }
}

/**
 * Removes a token from the credentials file that the store has, in a place
 * that lasts: under cargo's lock the token is read again and the store is
 * asked again, since another program may have changed either by then.
 */
export async function removeStored(
  from: FileToken,
  store: CredentialStore,
  key: RegistryRef,
  options: RemoveOptions,
): Promise<RemovalOutcome> {
  const { path, table, token } = from;
  const left = (why: Obstacle): RemovalOutcome => ({ kind: "left", why });
  const changed = left({ kind: "failed", reason: "changed-meanwhile" });
  const outcome = await withCredentialsLock(
    path,
    async (file): Promise<RemovalOutcome> => {
      if (findToken(file.document, table) === undefined) {
        return { kind: "none" };
      }
      if (!holdsStill(file, from)) return changed;
      const stored = await store.get(key, { signal: options.signal });
      if (stored.kind === "absent") return changed;
      if (stored.kind !== "found") return left(stored);
      const replaces = stored.token.equals(token) ||
        (options.superseded === true && checkToken(stored.token) === "valid");
      stored.token.wipe();
      if (!replaces) return changed;
      return stored.keeps === "on-disk"
        ? await removeLocked(file, table)
        : left({ kind: stored.keeps });
    },
  );
  switch (outcome.kind) {
    case "done":
      return outcome.value;
    case "absent":
      return { kind: "none" };
    default:
      return left(outcome);
  }
}

/** Removes the plaintext token of a registry, if it still is this one. */
export async function removeIfStored(
  registry: Registry,
  token: Secret,
  options: RemoveOptions,
): Promise<RemovalOutcome> {
  const { path, table } = await registry.plaintext();
  if (table === undefined) return { kind: "none" };
  return await removeStored(
    { path, table, token },
    await registry.store(),
    registry.ref,
    options,
  );
}
