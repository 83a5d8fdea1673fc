import type { Secret } from "../base/secret.ts";
import type { State } from "../state/state.ts";
import { unpin } from "../state/pins.ts";
import { supersede, unsupersede } from "../state/superseded.ts";
import type { Keeping, StoreFailure } from "../stores/credential_store.ts";
import { type HeldFile, removeHeld } from "./hold.ts";
import type { RemovalOutcome } from "./move.ts";
import type { Registry } from "./registry.ts";
import { storeToken } from "./store_token.ts";

/** What came of keeping a new token. */
export type KeepOutcome =
  | {
    readonly kind: "kept";
    /** What became of the file's older token. */
    readonly removal: RemovalOutcome;
    /** Whether it is remembered that the older tokens are out of use. */
    readonly remembered: boolean;
  }
  | { readonly kind: "failed"; readonly failure: StoreFailure };

/**
 * Stores a new token, reads it back, and only then touches the file, which is
 * held meanwhile: the tokens that store and file had are out of use.
 */
export async function keepToken(
  registry: Registry,
  token: Secret,
  file: HeldFile,
  signal: AbortSignal,
): Promise<KeepOutcome> {
  const { indexUrl } = registry.ref;
  const replaced = await findReplaced(registry, token, signal);
  const markReplaced = async (): Promise<boolean> =>
    replaced.length === 0 ||
    await registry.remember((state) => supersede(state, indexUrl, replaced));
  try {
    // Marked before, so that a kill behind `set` lets no older token win; but
    // where the two differ already, that would put one out of use for nothing.
    const [one, other] = replaced;
    const differ = one !== undefined && other?.equals(one) === false;
    const early = differ || await markReplaced();
    const kept = await storeToken(
      await registry.store(),
      registry.ref,
      token,
      { signal },
    );
    if (kept.kind !== "stored") {
      if (!differ) await putIntoUse(registry, replaced, { lifted: false });
      return { kind: "failed", failure: kept };
    }
    const remembered = differ ? await markReplaced() : early;
    await putIntoUse(registry, [token], { lifted: true });
    const removal = await removeOlder(registry, file, kept.keeps, signal);
    return { kind: "kept", removal, remembered };
  } finally {
    for (const old of replaced) old.wipe();
  }
}

/** The tokens that store and file hold until now, if they are others. */
async function findReplaced(
  registry: Registry,
  token: Secret,
  signal: AbortSignal,
): Promise<readonly Secret[]> {
  const store = await registry.store();
  const stored = await store.get(registry.ref, { signal });
  const plaintext = await registry.rebinding() === "none"
    ? (await registry.plaintext()).token
    : "none";
  const all = [
    ...(stored.kind === "found" ? [stored.token] : []),
    ...(plaintext === "none" ? [] : [plaintext]),
  ];
  const replaced = all.filter((old) => !old.equals(token));
  for (const old of all) if (!replaced.includes(old)) old.wipe();
  return replaced;
}

/**
 * Forgets what is remembered against the tokens that are meant now; `lifted`:
 * the pin, too.
 */
export async function putIntoUse(
  registry: Registry,
  tokens: readonly Secret[],
  { lifted }: { readonly lifted: boolean },
): Promise<void> {
  const { indexUrl } = registry.ref;
  const change = async (state: State): Promise<State> => {
    for (const token of tokens) {
      state = await unsupersede(state, indexUrl, token);
    }
    return lifted ? unpin(state, indexUrl) : state;
  };
  registry.refresh();
  const state = await registry.memory();
  if (await change(state) !== state) await registry.remember(change);
}

/** Removes the plaintext token that the new one has put out of use. */
async function removeOlder(
  registry: Registry,
  file: HeldFile,
  keeps: Keeping,
  signal: AbortSignal,
): Promise<RemovalOutcome> {
  registry.refresh();
  const { table, token } = await registry.plaintext();
  if (token === "none" || table === undefined) return { kind: "none" };
  // The token of that name is another registry's.
  if (await registry.rebinding() !== "none") return { kind: "none" };
  if (keeps === "not-yet-on-disk") {
    return { kind: "left", why: { kind: "new-not-yet-on-disk" } };
  }
  const verdict = await registry.eligibility(token, "login", signal);
  if (verdict.kind === "not") return { kind: "left", why: verdict };
  return await removeHeld(file, table);
}
