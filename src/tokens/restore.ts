import {
  type CredentialsTable,
  findToken,
  type PlaintextOutcome,
} from "../credentials/file.ts";
import {
  type LockedCredentials,
  withCredentialsLock,
} from "../credentials/lock.ts";
import { spellings } from "../cargo/spellings.ts";
import { checkToken } from "../cargo/token.ts";
import { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  GetOutcome,
  StoreFailure,
  StoreOptions,
} from "../stores/credential_store.ts";
import { type Obstacle, type Reason, storeReason } from "./reason.ts";

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
  key: RegistryRef,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  // No file is created where there is nothing to write.
  const first = await findRestorable(store, key, options);
  if (!(first instanceof Secret)) return first;
  first.wipe();
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
      return fileFailed("file-unusable", { kind: "not-created" });
    default:
      return fileFailed("file-unusable", outcome);
  }
}

async function restoreLocked(
  file: LockedCredentials,
  table: CredentialsTable,
  store: CredentialStore,
  key: RegistryRef,
  options: RestoreOptions,
): Promise<RestoreOutcome> {
  const token = await findRestorable(store, key, options);
  if (!(token instanceof Secret)) return token;
  try {
    const refusal = await insertLocked(file, table, token, options);
    if (refusal !== undefined) return refusal;
  } finally {
    token.wipe();
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

/** The stored token, if it can go into the file and be erased; or why not. */
async function findRestorable(
  store: CredentialStore,
  key: RegistryRef,
  options: RestoreOptions,
): Promise<Secret | RestoreOutcome> {
  const stored = await store.get(key, { signal: options.signal });
  if (stored.kind !== "found") return describeMissing(stored);
  const refusal = await refusalOf(stored, store, key, options);
  if (refusal === undefined) return stored.token;
  stored.token.wipe();
  return refusal;
}

async function refusalOf(
  stored: Extract<GetOutcome, { kind: "found" }>,
  store: CredentialStore,
  key: RegistryRef,
  options: RestoreOptions,
): Promise<RestoreOutcome | undefined> {
  if (checkToken(stored.token) !== "valid") return failed("stored-unusable");
  if (options.keepStore) return undefined;
  const others = await otherItems(stored, store, key, options);
  if (!Array.isArray(others)) return describeMissing(others);
  return others.length === 0
    ? undefined
    : failed("other-items", others.join(", "));
}

/**
 * What {@linkcode CredentialStore.erase} would erase besides the item: it takes
 * every item of the registry, under whatever spelling of its URL.
 */
export async function otherItems(
  stored: Extract<GetOutcome, { kind: "found" }>,
  store: CredentialStore,
  key: RegistryRef,
  options: StoreOptions,
): Promise<string[] | StoreFailure> {
  const others = [...stored.others];
  for (const indexUrl of spellings(key.indexUrl)) {
    const other = await store.get({ indexUrl }, { signal: options.signal });
    if (other.kind === "absent") continue;
    if (other.kind !== "found") return other;
    if (!other.token.equals(stored.token)) others.push(indexUrl);
    other.token.wipe();
  }
  return others;
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
      return fileFailed("not-edited", inserted);
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

function fileFailed(
  code: "file-unusable" | "not-edited",
  obstacle: Obstacle,
): RestoreOutcome {
  return { kind: "failed", reason: { code, obstacle } };
}

function describeMissing(
  outcome: Exclude<GetOutcome, { kind: "found" }>,
): RestoreOutcome {
  return outcome.kind === "absent"
    ? { kind: "absent" }
    : { kind: "failed", reason: storeReason(outcome) };
}
