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
