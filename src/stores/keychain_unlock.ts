import {
  type Keychain,
  openSecurity,
  OSStatusError,
  type Security,
} from "../../ffi/security.ts";
import type { Secret } from "../base/secret.ts";
import type { StoreFailure } from "./credential_store.ts";
import { keychainFailure } from "./keychain.ts";

/** What {@linkcode lookAtKeychain} answers. */
export type KeychainLook =
  | { readonly kind: "needs-password" }
  | { readonly kind: "already-unlocked" }
  | StoreFailure;

/** Whether the default keychain, the login keychain as a rule, is locked. */
export async function lookAtKeychain(
  open: () => Security = openSecurity,
): Promise<KeychainLook> {
  return await withKeychain(open, async (security, keychain) => ({
    kind: await security.isUnlocked(keychain)
      ? "already-unlocked"
      : "needs-password",
  }));
}

/** Unlocks the default keychain with a password, and no dialog. */
export async function unlockKeychain(
  password: Secret,
  open: () => Security = openSecurity,
): Promise<
  | { readonly kind: "unlocked" }
  | { readonly kind: "wrong-password" }
  | StoreFailure
> {
  return await withKeychain(open, async (security, keychain) => ({
    kind: await security.unlockWithPassword(keychain, password.bytes)
      ? "unlocked"
      : "wrong-password",
  }));
}

async function withKeychain<T>(
  open: () => Security,
  call: (security: Security, keychain: Keychain) => Promise<T>,
): Promise<T | StoreFailure> {
  try {
    const security = open();
    using keychain = await security.copyDefaultKeychain();
    return await call(security, keychain);
  } catch (error) {
    if (!(error instanceof OSStatusError)) throw error;
    return keychainFailure(error, { prompt: false, item: "unknown" });
  }
}
