import type { Secret } from "../base/secret.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  StoreOptions,
  VerifyOutcome,
} from "../stores/credential_store.ts";

/** Stores a token, and reads it back. */
export async function storeToken(
  store: CredentialStore,
  ref: RegistryRef,
  token: Secret,
  { signal }: StoreOptions,
): Promise<VerifyOutcome> {
  const stored = await store.set(ref, token, { signal });
  return stored.kind === "stored"
    ? await store.verify(ref, token, { signal })
    : stored;
}
