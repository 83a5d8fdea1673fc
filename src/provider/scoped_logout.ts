import { hasScoped, removeScoped } from "../state/scoped.ts";
import {
  describeStoreFailure,
  type StoreFailure,
} from "../stores/credential_store.ts";
import { describeGrant } from "../tokens/scoped.ts";
import { listScoped, type ScopedItem } from "../tokens/scoped_items.ts";
import type { RegistryAbout } from "../tokens/about.ts";
import type { ProviderContext } from "./context.ts";
import { statusLine } from "./status_line.ts";

/** What became of a registry's scoped tokens at logout. */
export interface ScopedErasure {
  readonly erased: readonly ScopedItem[];
  /** Why some may be left. */
  readonly failure: StoreFailure | undefined;
}

/** Erases the scoped tokens of a registry that is known to have some. */
export async function eraseScoped(
  context: ProviderContext,
): Promise<ScopedErasure> {
  const { registry, deadline: { signal } } = context;
  const { indexUrl } = registry.ref;
  if (!hasScoped(await registry.memory(), indexUrl)) {
    return { erased: [], failure: undefined };
  }
  const store = await registry.store();
  const listed = await listScoped(store, indexUrl, { signal });
  if (listed.kind !== "items") return { erased: [], failure: listed };
  const erased: ScopedItem[] = [];
  for (const item of listed.items) {
    const outcome = await store.erase(item.key, { signal });
    if (outcome.kind === "erased") erased.push(item);
    else if (outcome.kind !== "absent") return { erased, failure: outcome };
  }
  await registry.remember((state) => removeScoped(state, indexUrl));
  return { erased, failure: undefined };
}

/** The lines for what was erased. */
export function describeScopedErasure(
  { erased }: ScopedErasure,
  { title, storeTitle }: RegistryAbout,
): readonly string[] {
  return erased.map(({ grant }) =>
    statusLine(
      "Logout",
      `token for ${title} (${describeGrant(grant)}) removed from ${storeTitle}`,
    )
  );
}

/** Why scoped tokens may be left. */
export function describeScopedLeft(
  failure: StoreFailure,
  { title, storeTitle }: RegistryAbout,
): string {
  return `tokens of ${title} with scopes may be left in ${storeTitle}: ` +
    describeStoreFailure(failure);
}
