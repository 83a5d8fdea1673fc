import { sameRegistry } from "../cargo/spellings.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  StoreFailure,
  StoreOptions,
} from "../stores/credential_store.ts";
import { type Grant, parseScopedUrl } from "./scoped.ts";

/** A scoped token in a store. */
export interface ScopedItem {
  /** What it is filed under. */
  readonly key: RegistryRef;
  /** The registry that it is for. */
  readonly indexUrl: string;
  readonly grant: Grant;
}

/** What {@linkcode listScoped} answers. */
export type ScopedOutcome =
  | { readonly kind: "items"; readonly items: readonly ScopedItem[] }
  | StoreFailure;

/**
 * Lists the scoped tokens of a registry, or of all. It reads no secret and
 * opens no dialog.
 */
export async function listScoped(
  store: CredentialStore,
  indexUrl: string | "all",
  { signal }: Pick<StoreOptions, "signal">,
): Promise<ScopedOutcome> {
  const listed = await store.list({ signal, scoped: true });
  if (listed.kind !== "items") return listed;
  const items = listed.items.flatMap((key): readonly ScopedItem[] => {
    const parsed = parseScopedUrl(key.indexUrl);
    return parsed === undefined ? [] : [{ key, ...parsed }];
  });
  return {
    kind: "items",
    items: indexUrl === "all"
      ? items
      : items.filter((item) => sameRegistry(item.indexUrl, indexUrl)),
  };
}
