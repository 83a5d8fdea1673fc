import type { PlaintextRemoval } from "../tokens/remove.ts";
import type { EraseOutcome } from "../stores/credential_store.ts";

/** What is known when a `logout` is answered. */
export interface LogoutFacts {
  readonly erased: EraseOutcome;
  readonly plaintext: PlaintextRemoval;
  /** Whether `cargo:token` is asked after this provider. */
  readonly cargoTokenFollows: boolean;
}

/** How a `logout` is answered; the words are made from the facts. */
export type LogoutVerdict =
  | "logged-out"
  | "not-found"
  /** The store may still hold the token. */
  | "store-not-opened"
  /** The file still holds a token that nobody will remove. */
  | "plaintext-left";

/**
 * Decides how a `logout` is answered: never `logged-out` while a token may be
 * left that nobody has named.
 */
export function decideLogout(facts: LogoutFacts): LogoutVerdict {
  const { erased, plaintext } = facts;
  if (
    erased.kind !== "erased" && erased.kind !== "absent" && erased.storeExists
  ) {
    return "store-not-opened";
  }
  if (plaintext.kind === "busy") return "plaintext-left";
  if (erased.kind === "erased") {
    return plaintext.kind === "left" && !plaintext.foreign
      ? "plaintext-left"
      : "logged-out";
  }
  switch (plaintext.kind) {
    case "removed":
      return "logged-out";
    case "none":
      return "not-found";
    case "left":
      return plaintext.foreign || !facts.cargoTokenFollows
        ? "plaintext-left"
        : "not-found";
  }
}
