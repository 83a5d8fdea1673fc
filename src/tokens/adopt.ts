import { withCredentialsLock } from "../credentials/lock.ts";
import { checkToken } from "../cargo/token.ts";
import type { RegistryRef } from "../cargo/registries.ts";
import type {
  CredentialStore,
  GetOutcome,
} from "../stores/credential_store.ts";
import { type Reason, storeReason } from "./reason.ts";
import { otherItems } from "./restore.ts";
import { storeToken } from "./store_token.ts";

/** What came of filing a stored token under another URL. */
export type AdoptOutcome =
  /** It is filed under the new URL alone. */
  | { readonly kind: "adopted" }
  /** It is filed under both. */
  | { readonly kind: "both"; readonly reason: Reason }
  /** Nothing was erased. */
  | { readonly kind: "failed" | "conflict"; readonly reason: Reason };

/** An item, and the store that it is in or belongs in. */
export interface Filed {
  readonly store: CredentialStore;
  readonly key: RegistryRef;
}

/**
 * Files a stored token under the URL of another registry: under cargo's lock,
 * which logins hold as well, it is stored there and read back, and only then
 * the old item is erased. No call opens a dialog.
 */
export async function adoptToken(
  path: string,
  from: Filed,
  to: Filed,
  signal: AbortSignal,
): Promise<AdoptOutcome> {
  const adopt = (): Promise<AdoptOutcome> => adoptLocked(from, to, signal);
  const outcome = await withCredentialsLock(path, adopt, { signal });
  switch (outcome.kind) {
    case "done":
      return outcome.value;
    case "absent":
      return await adopt();
    case "busy":
      return failed({ code: "busy" });
    default:
      return failed({ code: "file-unusable", obstacle: outcome });
  }
}

async function adoptLocked(
  from: Filed,
  to: Filed,
  signal: AbortSignal,
): Promise<AdoptOutcome> {
  const old = await from.store.get(from.key, { signal });
  if (old.kind !== "found") return missing(old);
  try {
    if (checkToken(old.token) !== "valid") {
      return failed({ code: "stored-unusable" });
    }
    const present = await to.store.get(to.key, { signal });
    if (present.kind === "found") {
      const isSame = present.token.equals(old.token);
      present.token.wipe();
      if (!isSame) {
        return { kind: "conflict", reason: { code: "different-tokens" } };
      }
    } else if (present.kind !== "absent") return missing(present);
    const kept = await storeToken(to.store, to.key, old.token, { signal });
    if (kept.kind !== "stored") return failed(storeReason(kept));
    if (kept.keeps !== "on-disk") {
      return {
        kind: "both",
        reason: kept.keeps === "in-memory" ? { code: "not-durable" } : {
          code: "not-yet-on-disk",
          detail: from.key.indexUrl,
        },
      };
    }
    const others = await otherItems(old, from.store, from.key, { signal });
    if (!Array.isArray(others)) {
      return { kind: "both", reason: storeReason(others) };
    }
    if (others.length > 0) {
      const detail = others.join(", ");
      return { kind: "both", reason: { code: "other-items", detail } };
    }
  } finally {
    old.token.wipe();
  }
  const erased = await from.store.erase(from.key, { signal });
  return erased.kind === "erased" || erased.kind === "absent"
    ? { kind: "adopted" }
    : { kind: "both", reason: { code: "not-erased", detail: erased.reason } };
}

function missing(
  outcome: Exclude<GetOutcome, { kind: "found" }>,
): AdoptOutcome {
  return failed(
    outcome.kind === "absent"
      ? { code: "nothing-stored" }
      : storeReason(outcome),
  );
}

function failed(reason: Reason): AdoptOutcome {
  return { kind: "failed", reason };
}
