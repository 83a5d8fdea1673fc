import type { RegistryRef } from "../cargo/registries.ts";

// How cargo's own providers name the item of a registry, in every store.
const PREFIX = "cargo-registry:";

/** What the item of a key is filed under, where a store files by a name. */
export function itemName({ indexUrl }: RegistryRef): string {
  return PREFIX + indexUrl;
}

/** What every {@linkcode itemName} begins with. */
export const ITEM_NAMES: string = PREFIX;

/** The index URL in an {@linkcode itemName}; `undefined` in any other name. */
export function indexUrlIn(name: string): string | undefined {
  return name.startsWith(PREFIX) ? name.slice(PREFIX.length) : undefined;
}

/** What people see of the item of a key, where a store has labels. */
export function itemLabel({ indexUrl, name }: RegistryRef): string {
  return PREFIX + (name ?? indexUrl);
}

/** An item as it is listed, with the registry's name if its label has one. */
export function labelledItem(indexUrl: string, label: string): RegistryRef {
  const name = indexUrlIn(label);
  return name === undefined || name === indexUrl
    ? { indexUrl }
    : { indexUrl, name };
}

// A fragment, which no registry is sent. No index URL of cargo's ends in one.
const SCOPED = "#cargo-credential-keyring:";

/**
 * What a scoped token is filed under in place of the index URL, in every
 * store. Cargo's own providers look for the very index URL, and never find it.
 */
export function joinScoped(indexUrl: string, words: string): string {
  return indexUrl + SCOPED + words;
}

/** The two parts of it; `undefined` for an index URL. */
export function splitScoped(
  url: string,
): { readonly indexUrl: string; readonly words: string } | undefined {
  const at = url.lastIndexOf(SCOPED);
  return at < 0 ? undefined : {
    indexUrl: url.slice(0, at),
    words: url.slice(at + SCOPED.length),
  };
}
