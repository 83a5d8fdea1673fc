import type { Secret } from "../base/secret.ts";
import type { GetOutcome } from "../stores/credential_store.ts";
import { checkToken } from "../cargo/token.ts";
import type { Eligibility } from "./eligibility.ts";

/** What is known of one registry when `migrate` decides about it. */
export interface MigrateFacts {
  /** The file's token; `none` if it has none. */
  readonly plaintext: Secret | "none";
  /** What the store answered. */
  readonly store: GetOutcome;
  /** Whether the token may leave the file. */
  readonly eligibility: Eligibility;
  /** Whether the user has pinned the file's token. */
  readonly pinned: boolean;
  /** Whether the store may still have its token in memory alone. */
  readonly settling: boolean;
  /** Whether the registry was named, which lifts its pin. */
  readonly named: boolean;
  /** Which token is kept where the two differ. */
  readonly prefer: "file" | "store" | undefined;
  /** Whether the token stays in the file as well. */
  readonly keepFile: boolean;
}

/** What `migrate` does about one registry. */
export type MigrateStep =
  /** Store the file's token; then remove it there, unless it is to stay. */
  | { readonly do: "move"; readonly over: boolean }
  /** Remove the file's token: the store has it, or the one to keep. */
  | { readonly do: "remove" }
  /** Nothing is left to do. */
  | { readonly do: "nothing"; readonly outcome: "already" }
  | {
    readonly do: "nothing";
    readonly outcome: "conflict" | "skipped" | "failed";
    /** Why, as a clause without a final stop. */
    readonly reason: string;
  };

function nothing(
  outcome: "conflict" | "skipped" | "failed",
  reason: string,
): MigrateStep {
  return { do: "nothing", outcome, reason };
}

/**
 * Decides what `migrate` does about one registry.
 *
 * @param facts What is known.
 * @returns What to do.
 */
export function planMigration(facts: MigrateFacts): MigrateStep {
  const { plaintext, store, prefer } = facts;
  if (store.kind !== "found" && store.kind !== "absent") {
    return nothing("failed", `${store.reason}. ${store.remedy}`);
  }
  if (plaintext === "none") {
    return store.kind === "found"
      ? { do: "nothing", outcome: "already" }
      : nothing("skipped", "the file holds no token for it");
  }
  if (facts.pinned && !facts.named) {
    return nothing(
      "skipped",
      "`restore` or `--keep-file` has put its token into the file; " +
        "`--registry` moves it",
    );
  }
  const kept = store.kind === "found" && store.token.length > 0
    ? store.token
    : undefined;
  if (kept === undefined) return move(facts, store.kind === "found");
  if (kept.equals(plaintext)) return remove(facts);
  switch (prefer) {
    case "file":
      return move(facts, true);
    case "store":
      return checkToken(kept) === "valid"
        ? remove(facts)
        : nothing("failed", "what is stored is no token that cargo accepts");
    case undefined:
      return nothing(
        "conflict",
        "the file and the store hold different tokens; " +
          "`--prefer file` or `--prefer store` says which one to keep",
      );
  }
}

function move(facts: MigrateFacts, over: boolean): MigrateStep {
  return facts.eligibility.kind === "eligible"
    ? { do: "move", over }
    : nothing("skipped", facts.eligibility.sentence);
}

function remove(facts: MigrateFacts): MigrateStep {
  if (facts.settling) {
    return nothing(
      "skipped",
      "the store has yet to write it to disk; try again in some seconds",
    );
  }
  if (facts.keepFile) return { do: "nothing", outcome: "already" };
  return facts.eligibility.kind === "eligible"
    ? { do: "remove" }
    : nothing("skipped", facts.eligibility.sentence);
}
