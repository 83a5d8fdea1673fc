import type { Secret } from "../base/secret.ts";
import type { GetOutcome } from "../stores/credential_store.ts";
import { checkToken } from "../cargo/token.ts";
import type { Eligibility } from "./eligibility.ts";
import { type Reason, storeReason } from "./reason.ts";

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
  /** Whether the file's token is known to be out of use. */
  readonly superseded: boolean;
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
  | {
    readonly do: "move";
    /** Whether another token is discarded by it, which a person confirms. */
    readonly discards: boolean;
  }
  /** Remove the file's token: the store has it, or the one to keep. */
  | {
    readonly do: "remove";
    /** Whether it is discarded by it, which a person confirms. */
    readonly discards: boolean;
    /** Whether the store has another one in its place. */
    readonly superseded: boolean;
  }
  | {
    readonly do: "nothing";
    readonly outcome: "already" | "conflict" | "skipped" | "failed";
    readonly reason: Reason;
  };

function nothing(
  outcome: "already" | "conflict" | "skipped" | "failed",
  reason: Reason | Reason["code"],
): MigrateStep {
  return {
    do: "nothing",
    outcome,
    reason: typeof reason === "string" ? { code: reason } : reason,
  };
}

/** Decides what `migrate` does about one registry. */
export function planMigration(facts: MigrateFacts): MigrateStep {
  const { plaintext, store, prefer } = facts;
  if (store.kind !== "found" && store.kind !== "absent") {
    return nothing("failed", storeReason(store));
  }
  if (plaintext === "none") {
    return store.kind === "found"
      ? nothing("already", "stored")
      : nothing("skipped", "no-token");
  }
  if (facts.pinned && !facts.named) return nothing("skipped", "pinned");
  if (store.kind === "absent" || store.token.length === 0) {
    return ifEligible(facts, { do: "move", discards: false });
  }
  if (store.token.equals(plaintext)) {
    switch (store.keeps) {
      case "on-disk":
        return remove(facts, false, false);
      case "not-yet-on-disk":
        return nothing("already", "not-yet-on-disk");
      case "in-memory":
        // Once more, into the default collection, which lasts.
        return ifEligible(facts, { do: "move", discards: false });
    }
  }
  if (prefer === "file") {
    return ifEligible(facts, { do: "move", discards: true });
  }
  const isUsable = checkToken(store.token) === "valid";
  if (prefer === "store") {
    return isUsable
      ? remove(facts, true, true)
      : nothing("failed", "stored-unusable");
  }
  return facts.superseded && isUsable
    ? remove(facts, false, true)
    : nothing("conflict", "different-tokens");
}

function remove(
  facts: MigrateFacts,
  discards: boolean,
  superseded: boolean,
): MigrateStep {
  if (facts.keepFile) return nothing("already", "stored");
  return ifEligible(facts, { do: "remove", discards, superseded });
}

function ifEligible(
  { eligibility }: MigrateFacts,
  step: MigrateStep,
): MigrateStep {
  if (eligibility.kind === "eligible") return step;
  const { reason: code } = eligibility;
  return nothing("skipped", { code, obstacle: eligibility });
}
