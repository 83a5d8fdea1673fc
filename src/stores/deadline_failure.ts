import type { StoreFailure } from "./credential_store.ts";

/**
 * The failure of a store that has not answered in time.
 *
 * @param title The store's name in a sentence.
 * @returns The failure.
 */
export function deadlineFailure(title: string): StoreFailure {
  return {
    kind: "timeout",
    cause: "deadline",
    reason: `${title} has not answered in time`,
    remedy: "If it needs longer, raise `timeout` or `prompt-timeout` in " +
      "`credential-keyring.toml`.",
    storeExists: true,
    item: "unknown",
  };
}
