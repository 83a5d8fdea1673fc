import {
  type CredentialsTable,
  findToken,
  readPlaintext,
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
  StoreFailure,
} from "../stores/credential_store.ts";
import { describeEditFailure, describeLockFailure } from "./move.ts";

/** What came of putting a token back into the file. */
export type RestoreOutcome =
  /** It is in the file, and no longer in the store. */
  | { readonly kind: "restored" }
  /** It is in both, as was asked for, or because it was not erased. */
  | {
    readonly kind: "written";
    /** Why it is still stored, as a clause without a final stop. */
    readonly reason?: string;
  }
  /** The store has none. */
  | { readonly kind: "absent" }
  /** The file holds another token. */
  | { readonly kind: "conflict" }
  /** Nothing was erased. */
  | { readonly kind: "failed"; readonly reason: string };

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
}

/**
 * Puts a stored token back into the credentials file: under cargo's lock the
 * store is asked, the token is pinned in the file, inserted, and read again;
 * only then the item is erased.
 *
 * @param path The credentials file; it is created if it does not exist.
 * @param table The registry's table.
 * @param store Where the token is.
 * @param key What it is filed under.
 * @param options The deadline, and what stays.
 * @returns What came of it.
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
    (file) => restoreLocked(file, path, table, store, key, options),
    { create: true, signal: options.signal },
  );
  switch (outcome.kind) {
    case "done":
      return outcome.value;
    case "busy":
      return failed(`another program is writing ${path}; try again`);
    case "absent":
      return failed("the file cannot be created");
    default:
      return failed(describeLockFailure(outcome));
  }
}

async function restoreLocked(
  file: LockedCredentials,
  path: string,
  table: CredentialsTable,
  store: CredentialStore,
  key: ItemKey,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  const stored = await store.get(key, { signal: options.signal });
  if (stored.kind !== "found") return describeMissing(stored);
  try {
    if (checkToken(stored.token) !== "valid") {
      return failed("what is stored is no token that cargo accepts");
    }
    // `erase` takes every item of the URL.
    if (stored.others.length > 0 && !options.keepStore) {
      return failed(
        "the store holds other tokens for the same URL, which would be lost: " +
          stored.others.join(", "),
      );
    }
    const refusal = await insertLocked(
      file,
      path,
      table,
      stored.token,
      options,
    );
    if (refusal !== undefined) return refusal;
  } finally {
    stored.token.wipe();
  }
  if (options.keepStore) return { kind: "written" };
  const erased = await store.erase(key, { signal: options.signal });
  return erased.kind === "erased" || erased.kind === "absent"
    ? { kind: "restored" }
    : { kind: "written", reason: erased.reason };
}

/** `undefined`: the file holds the token. */
async function insertLocked(
  file: LockedCredentials,
  path: string,
  table: CredentialsTable,
  token: Secret,
  options: RestoreOptions,
): Promise<RestoreOutcome | undefined> {
  const found = findToken(file.document, table);
  if (found !== undefined) {
    if (!Secret.fromString(found.entry.string).equals(token)) {
      return { kind: "conflict" };
    }
    return await options.pin() ? undefined : failed(NO_MEMORY);
  }
  if (!await options.pin()) return failed(NO_MEMORY);
  const inserted = await file.insert(table, token);
  if (inserted.kind !== "edited") {
    return failed(
      inserted.kind === "unchanged"
        ? "the file was not changed"
        : describeEditFailure(inserted),
    );
  }
  const read = await readPlaintext(path, [table]);
  return read.kind === "found" && read.token.equals(token)
    ? undefined
    : failed("the file does not give the token back");
}

const NO_MEMORY = "it cannot be remembered that the token is to stay in the " +
  "file, and the next command would move it again";

function failed(reason: string): RestoreOutcome {
  return { kind: "failed", reason };
}

function describeMissing(
  outcome: Exclude<GetOutcome, { kind: "found" }> | StoreFailure,
): RestoreOutcome {
  return outcome.kind === "absent"
    ? { kind: "absent" }
    : failed(`${outcome.reason}. ${outcome.remedy}`);
}
