import type { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  StoreFailure,
  StoreOptions,
  VerifyOutcome,
} from "./credential_store.ts";

/**
 * {@linkcode CredentialStore.verify} of a store with one item for each key, of
 * which `get()` remembers nothing.
 */
export async function verifyByGet(
  store: Pick<CredentialStore, "get">,
  key: RegistryRef,
  token: Secret,
  options: StoreOptions,
  notKept: StoreFailure,
): Promise<VerifyOutcome> {
  const outcome = await store.get(key, options);
  if (outcome.kind === "absent") return notKept;
  if (outcome.kind !== "found") return outcome;
  const same = outcome.token.equals(token);
  outcome.token.wipe();
  return same ? { kind: "stored", keeps: outcome.keeps } : notKept;
}
