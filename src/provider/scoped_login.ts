import type { Secret } from "../base/secret.ts";
import { addScoped } from "../state/scoped.ts";
import type { StoreFailure } from "../stores/credential_store.ts";
import { describeGrant, type Grant, scopedUrl } from "../tokens/scoped.ts";
import { listScoped } from "../tokens/scoped_items.ts";
import { storeToken } from "../tokens/store_token.ts";
import type { ProviderContext } from "./context.ts";
import { statusLine } from "./status_line.ts";

/**
 * Stores a token beside the registry's own, reads it back, and only then
 * erases the ones for the very same scopes and crates that it replaces.
 * Returns why it could not be stored; `undefined`: it is.
 */
export async function keepScoped(
  token: Secret,
  grant: Grant,
  context: ProviderContext,
): Promise<StoreFailure | undefined> {
  const { registry, deadline: { signal } } = context;
  const { indexUrl, name } = registry.ref;
  const store = await registry.store();
  const key = {
    indexUrl: scopedUrl(indexUrl, grant),
    ...(name === undefined ? {} : { name }),
  };
  const kept = await storeToken(store, key, token, { signal });
  if (kept.kind !== "stored") return kept;
  const remembered = await registry.remember((state) =>
    addScoped(state, indexUrl)
  );
  const { title, storeTitle } = await context.about();
  context.say(statusLine(
    "Login",
    `token for ${title} (${describeGrant(grant)}) stored in ${storeTitle}`,
  ));
  if (!remembered) {
    context.say(
      "warning: it cannot be remembered in cargo's home that there is such a " +
        "token; it is used only where the registry has no token of its own",
    );
  }
  await eraseReplaced(key.indexUrl, grant, context);
  return undefined;
}

async function eraseReplaced(
  keptUrl: string,
  { scopes, crates }: Grant,
  context: ProviderContext,
): Promise<void> {
  const { registry: { ref: { indexUrl }, store: open }, deadline: { signal } } =
    context;
  const store = await open();
  const listed = await listScoped(store, indexUrl, { signal });
  if (listed.kind !== "items") return;
  for (const { key, grant } of listed.items) {
    if (
      key.indexUrl !== keptUrl &&
      grant.scopes.join() === scopes.join() &&
      grant.crates.join() === crates.join()
    ) await store.erase(key, { signal });
  }
}
