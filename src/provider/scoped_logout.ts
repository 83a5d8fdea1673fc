import { printable } from "../base/printable.ts";
import { hasScoped, removeScoped } from "../state/scoped.ts";
import type { StoreFailure } from "../stores/credential_store.ts";
import { describeGrant } from "../tokens/scoped.ts";
import { listScoped, type ScopedItem } from "../tokens/scoped_items.ts";
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
  const { key: { indexUrl }, deadline: { signal } } = context;
  if (!hasScoped(await context.state(), indexUrl)) {
    return { erased: [], failure: undefined };
  }
  const store = await context.store();
  const listed = await listScoped(store, indexUrl, { signal });
  if (listed.kind !== "items") return { erased: [], failure: listed };
  const erased: ScopedItem[] = [];
  for (const item of listed.items) {
    const outcome = await store.erase(item.key, { signal });
    if (outcome.kind === "erased") erased.push(item);
    else if (outcome.kind !== "absent") return { erased, failure: outcome };
  }
  await context.remember((state) => removeScoped(state, indexUrl));
  return { erased, failure: undefined };
}

/** The lines for what was erased. */
export async function describeScopedErasure(
  { erased }: ScopedErasure,
  context: ProviderContext,
): Promise<readonly string[]> {
  const { title, storeTitle } = await context.about();
  return erased.map(({ grant }) =>
    statusLine(
      "Logout",
      `token for ${title} (${printable(describeGrant(grant))}) removed from ` +
        storeTitle,
    )
  );
}
