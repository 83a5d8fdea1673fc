import {
  type KeyringState,
  lookAtKeyring,
  type UnlockAnswer,
  unlockKeyring,
} from "../../ffi/gnome_keyring.ts";
import type { Secret } from "../base/secret.ts";
import {
  describeTrouble,
  readSurroundings,
  troubleOf,
} from "./_secret_service_failures.ts";
import type { StoreFailure, StoreOptions } from "./credential_store.ts";
import { SecretServiceStore } from "./secret_service.ts";

/** What {@linkcode lookAtDefaultKeyring} answers. */
export type KeyringLook =
  /** It is locked, and `unlockDefaultKeyring` can open it. */
  | {
    readonly kind: "needs-password";
    /** The keyring's name for people, as its owner wrote it. */
    readonly keyring: string;
  }
  | { readonly kind: "already-unlocked" }
  /** It is locked, and only the program that it belongs to can open it. */
  | { readonly kind: "not-gnome-keyring" }
  | StoreFailure;

/** What {@linkcode unlockDefaultKeyring} answers. */
export type UnlockOutcome =
  | { readonly kind: "unlocked" }
  | { readonly kind: "already-unlocked" }
  | { readonly kind: "wrong-password" }
  | { readonly kind: "not-gnome-keyring" }
  | StoreFailure;

/**
 * Finds out, before anybody is asked for a password, whether one would help.
 *
 * @param options The deadline.
 * @returns What is there, or why it is not known.
 */
export async function lookAtDefaultKeyring(
  options: Pick<StoreOptions, "signal">,
): Promise<KeyringLook> {
  const { signal } = options;
  // The store's own checks come first: that there is a bus to talk to, which
  // is ours, and a default collection.
  const prepared = await new SecretServiceStore().prepare({ signal });
  if (prepared.kind === "ready") return { kind: "already-unlocked" };
  if (prepared.kind !== "locked") return prepared;
  const state = await run(signal, () => lookAtKeyring({ signal }));
  switch (state.kind) {
    case "needs-password":
      return { kind: "needs-password", keyring: state.collection.label };
    case "no-collection":
      return await noCollection();
    case "already-unlocked":
    case "not-gnome-keyring":
      return { kind: state.kind };
    default:
      return state;
  }
}

/**
 * Unlocks gnome-keyring's default collection with its password, for a person
 * without a desktop (ssh): no dialog opens, and the next command finds it open
 * until the daemon ends. What makes that possible is an interface of
 * gnome-keyring's own; other programs have none.
 *
 * @param password The password, which stays the caller's.
 * @param options The deadline.
 * @returns What came of it, or why nothing did.
 *
 * @example
 * ```ts ignore
 * const signal = AbortSignal.timeout(60_000);
 * const outcome = await unlockDefaultKeyring(password, { signal });
 * password.wipe();
 * ```
 */
export async function unlockDefaultKeyring(
  password: Secret,
  options: Pick<StoreOptions, "signal">,
): Promise<UnlockOutcome> {
  const { signal } = options;
  const found = await lookAtDefaultKeyring({ signal });
  if (found.kind !== "needs-password") return found;
  const answer = await run(
    signal,
    () => unlockKeyring(password.bytes, { signal }),
  );
  switch (answer.kind) {
    case "no-collection":
      return await noCollection();
    case "unlocked":
    case "already-unlocked":
    case "wrong-password":
    case "not-gnome-keyring":
      return { kind: answer.kind };
    default:
      return answer;
  }
}

async function noCollection(): Promise<StoreFailure> {
  return describeTrouble(
    { cause: "no-default-collection" },
    await readSurroundings(),
  );
}

/** Runs native calls, which the signal ends, and words their failures. */
async function run<T extends KeyringState | UnlockAnswer>(
  signal: AbortSignal,
  calls: () => Promise<T>,
): Promise<T | StoreFailure> {
  try {
    signal.throwIfAborted();
    return await calls();
  } catch (error) {
    const trouble = signal.aborted
      ? { cause: "deadline" } as const
      : troubleOf(error);
    if (trouble === undefined) throw error;
    return describeTrouble(trouble, await readSurroundings());
  }
}
