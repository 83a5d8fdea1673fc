import {
  createDefaultWithPassword,
  unlockWithPassword,
} from "../../ffi/gnome_keyring.ts";
import type { SecretService } from "../../ffi/libsecret/service.ts";
import type { Secret } from "../base/secret.ts";
import type { StoreFailure, StoreOptions } from "./credential_store.ts";
import { SESSION_COLLECTION } from "./_secret_service_look.ts";
import {
  type Answer,
  GNOME_KEYRING,
  inSession,
  trouble,
} from "./secret_service_session.ts";

/** A keyring that takes a password. */
export interface LockedKeyring {
  /** Its object path. */
  readonly path: string;
  /** Its name for people, as its owner wrote it. */
  readonly label: string;
}

/** What {@linkcode lookAtKeyrings} answers. */
export type KeyringsLook =
  /** These are locked, the default one first. */
  | {
    readonly kind: "needs-password";
    readonly keyrings: readonly [LockedKeyring, ...LockedKeyring[]];
  }
  /** There is no default one: {@linkcode createKeyring} makes it. */
  | { readonly kind: "no-keyring" }
  | { readonly kind: "already-unlocked" }
  /** Only the program that the keyrings belong to can open them. */
  | { readonly kind: "not-gnome-keyring" }
  | StoreFailure;

/** What {@linkcode unlockKeyring} answers. */
export type UnlockOutcome =
  | { readonly kind: "unlocked" }
  | { readonly kind: "wrong-password" }
  | { readonly kind: "not-gnome-keyring" }
  | StoreFailure;

/** What {@linkcode createKeyring} answers. */
export type CreateOutcome =
  | { readonly kind: "created" }
  | { readonly kind: "not-gnome-keyring" }
  | StoreFailure;

/** The keyring that a login on the desktop opens, and makes if it is missing. */
const LOGIN_KEYRING = "login";

// Unlocking and making a keyring with a password that was typed elsewhere is
// for a person without a desktop (ssh): no dialog opens, and the next command
// finds it open until the daemon ends. What makes that possible is an
// interface of gnome-keyring's own; other programs have none.

/**
 * Finds out, before anybody is asked for a password, which keyrings take one.
 * What takes none is opened on the way.
 */
export function lookAtKeyrings(
  options: Pick<StoreOptions, "signal">,
): Promise<KeyringsLook> {
  return inGnomeKeyring<KeyringsLook>(options, async (service) => {
    const first = await service.defaultCollection();
    if (first === undefined) return { kind: "no-keyring" };
    const locked: LockedKeyring[] = [];
    const others = (await service.collections())
      .filter(({ path }) => path !== first.path && path !== SESSION_COLLECTION);
    for (const collection of [first, ...others]) {
      const { path } = collection;
      if (!collection.locked || await service.unlock(path)) continue;
      locked.push({ path, label: await service.collectionLabel(path) });
    }
    const [keyring, ...more] = locked;
    return keyring === undefined
      ? { kind: "already-unlocked" }
      : { kind: "needs-password", keyrings: [keyring, ...more] };
  });
}

/** Unlocks one of the keyrings with its password, which stays the caller's. */
export function unlockKeyring(
  keyring: LockedKeyring,
  password: Secret,
  options: Pick<StoreOptions, "signal">,
): Promise<UnlockOutcome> {
  return inGnomeKeyring<UnlockOutcome>(options, async (service) => {
    const { path } = keyring;
    return await unlockWithPassword(service, path, password.bytes)
      ? { kind: "unlocked" }
      : { kind: "wrong-password" };
  });
}

/**
 * Makes the login keyring, and makes it the default one, with a password that
 * stays the caller's. It must not be empty: the keyring would be a plaintext
 * file.
 */
export function createKeyring(
  password: Secret,
  options: Pick<StoreOptions, "signal">,
): Promise<CreateOutcome> {
  return inGnomeKeyring<CreateOutcome>(options, async (service) => {
    if (await service.defaultCollection() === undefined) {
      await createDefaultWithPassword(service, LOGIN_KEYRING, password.bytes);
    }
    return { kind: "created" };
  });
}

function inGnomeKeyring<T extends { readonly kind: string }>(
  options: Pick<StoreOptions, "signal">,
  calls: (service: SecretService) => Promise<Answer<T>>,
): Promise<T | StoreFailure | { readonly kind: "not-gnome-keyring" }> {
  return inSession<T | { readonly kind: "not-gnome-keyring" }>(
    options,
    async (service) => {
      if (await service.alsoOwns(GNOME_KEYRING)) return await calls(service);
      // A service that is not there at all says so.
      return await service.defaultCollection() === undefined
        ? trouble({ cause: "no-default-collection" })
        : { kind: "not-gnome-keyring" };
    },
  );
}
