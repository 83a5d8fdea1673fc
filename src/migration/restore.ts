import {
  type CredentialsTable,
  findToken,
  type PlaintextOutcome,
} from "../credentials/file.ts";
import {
  type LockedCredentials,
  withCredentialsLock,
} from "../credentials/lock.ts";
import { checkToken } from "../cargo/token.ts";
import { Secret } from "../base/secret.ts";
import type {
  CredentialStore,
  GetOutcome,
  ItemKey,
} from "../stores/credential_store.ts";
import { describeEditFailure, describeLockFailure } from "./move.ts";
import { type Reason, storeReason } from "./reason.ts";

/** What came of putting a token back into the file. */
export type RestoreOutcome =
  /** It is in the file, and no longer in the store. */
  | { readonly kind: "restored" }
  /** It is in both: as was asked for, or because it was not erased. */
  | { readonly kind: "written"; readonly reason?: Reason }
  /** The store has none. */
  | { readonly kind: "absent" }
  /** The file holds another token. */
  | { readonly kind: "conflict" }
  /** Nothing was erased. */
  | { readonly kind: "failed"; readonly reason: Reason };

/** How {@linkcode restoreToken} goes about it. */
export interface RestoreOptions {
  /** The deadline. */
  readonly signal: AbortSignal;
  /** Whether the item stays in the store as well. */
  readonly keepStore: boolean;
  /**
   * Called before the file is written: pins it there, or the next read would
   * move the token again. `false` ends it.
   */
  readonly pin: () => Promise<boolean>;
  /**
   * Called when the file is written: reads it again as cargo will, by a
   * configuration that is read again, too. Nothing is erased unless it finds the
   * very token.
   */
  readonly readBack: () => Promise<PlaintextOutcome | "leads-elsewhere">;
}

/**
 * Puts a stored token back into the credentials file: under cargo's lock the
 * store is asked, the token is pinned in the file, inserted, and read again;
 * only then the item is erased. The file is created if it does not exist.
 */
export async function restoreToken(
  path: string,
  table: CredentialsTable,
  store: CredentialStore,
  key: ItemKey,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  // No file is created where there is nothing to write.
  const first = await store.get(key, { signal: options.signal });
  if (first.kind !== "found") return describeMissing(first);
  first.token.wipe();
  const outcome = await withCredentialsLock(
    path,
    (file) => restoreLocked(file, table, store, key, options),
    { create: true, signal: options.signal },
  );
  switch (outcome.kind) {
    case "done":
      return outcome.value;
    case "busy":
      return failed("busy");
    case "absent":
      return failed("file-unusable", "it cannot be created");
    default:
      return failed("file-unusable", describeLockFailure(outcome));
  }
}

async function restoreLocked(
  file: LockedCredentials,
  table: CredentialsTable,
  store: CredentialStore,
  key: ItemKey,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  const stored = await store.get(key, { signal: options.signal });
  if (stored.kind !== "found") return describeMissing(stored);
  try {
    if (checkToken(stored.token) !== "valid") return failed("stored-unusable");
    // `erase` takes every item of the URL.
    if (stored.others.length > 0 && !options.keepStore) {
      return failed("other-items", stored.others.join(", "));
    }
    const refusal = await insertLocked(file, table, stored.token, options);
    if (refusal !== undefined) return refusal;
  } finally {
    stored.token.wipe();
  }
  if (options.keepStore) return { kind: "written" };
  const erased = await store.erase(key, { signal: options.signal });
  return erased.kind === "erased" || erased.kind === "absent"
    ? { kind: "restored" }
    : {
      kind: "written",
      reason: { code: "not-erased", detail: erased.reason },
    };
}

/** `undefined`: the file holds the token, where cargo will find it. */
async function insertLocked(
  file: LockedCredentials,
  table: CredentialsTable,
  token: Secret,
  options: RestoreOptions,
): Promise<RestoreOutcome | undefined> {
  const found = findToken(file.document, table);
  if (
    found !== undefined && !Secret.fromString(found.entry.string).equals(token)
  ) {
    return { kind: "conflict" };
  }
  if (!await options.pin()) return failed("no-memory");
  if (found === undefined) {
    const inserted = await file.insert(table, token);
    if (inserted.kind === "unchanged") return failed("changed");
    if (inserted.kind !== "edited") {
      return failed("not-edited", describeEditFailure(inserted));
    }
  }
  const read = await options.readBack();
  if (read === "leads-elsewhere") return failed("leads-elsewhere");
  return read.kind === "found" && read.token.equals(token)
    ? undefined
    : failed("not-read-back");
}

function failed(code: Reason["code"], detail?: string): RestoreOutcome {
  const reason = detail === undefined ? { code } : { code, detail };
  return { kind: "failed", reason };
}

function describeMissing(
  outcome: Exclude<GetOutcome, { kind: "found" }>,
): RestoreOutcome {
  return outcome.kind === "absent"
    ? { kind: "absent" }
    : { kind: "failed", reason: storeReason(outcome) };
}
