import type { Secret } from "../base/secret.ts";
import type { ErrorAnswer, Operation } from "../protocol/messages.ts";
import {
  describeStoreFailure,
  type StoreFailure,
} from "../stores/credential_store.ts";
import { describeGrant, expiryOf, narrowest } from "../tokens/scoped.ts";
import {
  listScoped,
  type ScopedItem,
  type ScopedOutcome,
} from "../tokens/scoped_items.ts";
import type { ProviderContext } from "./context.ts";
import type { NoticeText } from "./notices.ts";
import type { RegistryAbout } from "../tokens/about.ts";

/** What came of a look for a scoped token. */
export type ScopedResult =
  | { readonly kind: "token"; readonly token: Secret }
  /** None serves, of as many as there are. */
  | { readonly kind: "none"; readonly expired: readonly ScopedItem[] }
  | StoreFailure;

/** How a scoped token is looked for. */
export interface FindScopedOptions {
  readonly signal: AbortSignal;
  /** Whether a dialog may open, if somebody is there. */
  readonly mayPrompt: boolean;
}

/**
 * Looks for the narrowest token that serves an operation: one search of the
 * store for the names, and one for the token. One that has expired is none.
 */
export async function findScoped(
  operation: Operation,
  context: ProviderContext,
  options: FindScopedOptions,
): Promise<ScopedResult> {
  const listed = await list(context, options);
  if (listed.kind !== "items") return listed;
  const now = Date.now();
  const store = await context.registry.store();
  const serving = narrowest(listed.items, operation);
  for (const item of serving) {
    const expiry = expiryOf(item.grant, now);
    if (expiry === "expired") continue;
    const { signal } = options;
    const outcome = await store.get(item.key, { signal });
    // Somebody else may have erased it just now.
    if (outcome.kind === "absent") continue;
    if (outcome.kind !== "found") return outcome;
    if (expiry === "soon") {
      await context.notice(describeEnding(item, "soon", await context.about()));
    }
    return { kind: "token", token: outcome.token };
  }
  const expired = serving.filter(({ grant }) =>
    expiryOf(grant, now) === "expired"
  );
  return { kind: "none", expired };
}

async function list(
  context: ProviderContext,
  { signal, mayPrompt }: FindScopedOptions,
): Promise<ScopedOutcome> {
  const store = await context.registry.store();
  const { indexUrl } = context.registry.ref;
  const listed = await listScoped(store, indexUrl, { signal });
  if (listed.kind !== "locked" || !mayPrompt || !await context.mayPrompt()) {
    return listed;
  }
  // The dialog has more time than what was asked before.
  const prompted = { signal: context.deadline.signal };
  const opened = await store.prepare({ ...prompted, prompt: true });
  return opened.kind === "ready"
    ? await listScoped(store, indexUrl, prompted)
    : opened;
}

/** A hint is not worth more: a store with a thousand items takes a second. */
const UNKNOWN_MS = 250;

/**
 * Looks for a scoped token where the registry has none of its own. It may not
 * be remembered that it has others (`isKnown`): in another home of cargo's, or
 * without the state.
 *
 * `before`: what a look for the same operation has found already.
 * Returns the token, or what is answered without one.
 */
export async function scopedLast(
  operation: Operation,
  before: ScopedResult | undefined,
  isKnown: boolean,
  context: ProviderContext,
): Promise<Extract<ScopedResult, { kind: "token" }> | ErrorAnswer> {
  // `cargo:token` has one.
  if (!isKnown && (await context.registry.plaintext()).token !== "none") {
    return { kind: "not-found" };
  }
  const { signal } = context.deadline;
  const result = before ?? await findScoped(operation, context, {
    signal: isKnown
      ? signal
      : AbortSignal.any([signal, AbortSignal.timeout(UNKNOWN_MS)]),
    mayPrompt: isKnown,
  });
  switch (result.kind) {
    case "token":
      return result;
    case "none":
      await tellExpired(result, true, context);
      return { kind: "not-found" };
    default:
      return isKnown
        ? { kind: "other", message: describeStoreFailure(result) }
        : { kind: "not-found" };
  }
}

/** Says that a token was not used since it has expired. */
export async function tellExpired(
  { expired }: Extract<ScopedResult, { kind: "none" }>,
  isLast: boolean,
  context: ProviderContext,
): Promise<void> {
  const [item] = expired;
  if (item === undefined) return;
  const text = describeEnding(item, "expired", await context.about());
  await context.notice(text, isLast);
}

/** What is said of a token that ends soon, or has ended. */
function describeEnding(
  { grant }: ScopedItem,
  expiry: "soon" | "expired",
  { title, revokeAt, loginCommand }: RegistryAbout,
): NoticeText {
  const { expires = "", ...rest } = grant;
  const what = describeGrant(rest);
  return {
    level: expiry === "soon" ? "note" : "warning",
    text: `the token of ${title} for ${what} ` +
      `${expiry === "soon" ? "expires on" : "has expired on"} ` +
      `${expires}${expiry === "soon" ? "" : " and is not used"}; a new one ` +
      `comes from ${revokeAt}, and goes in with \`${loginCommand} -- ` +
      `--scope ${grant.scopes.join(",")}${
        grant.crates.map((pattern) => ` --crate '${pattern}'`).join("")
      } --expires DATE\``,
    frequency: "daily",
    topic: `${expiry}/${what}`.slice(0, 200),
  };
}
