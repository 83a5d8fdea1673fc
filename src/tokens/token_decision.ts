import type { EnvironmentToken } from "../cargo/environment_token.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import { checkToken } from "../cargo/token.ts";
import type { PlaintextOutcome } from "../credentials/file.ts";
import type { Secret } from "../base/secret.ts";
import type { GetOutcome, StoreFailure } from "../stores/credential_store.ts";

/** What is known of one registry's token. */
export interface TokenFacts {
  readonly environment: EnvironmentToken;
  readonly store: GetOutcome;
  readonly plaintext: PlaintextOutcome;
  /** Whether the file's token is known to be out of use. */
  readonly superseded: boolean;
  /** Whether a project binds the name to another URL than the user does. */
  readonly rebinding: Rebinding | "none";
  /** Whether the user's own configuration binds the name to this URL. */
  readonly boundByUser: boolean;
  /** Whether a store that cannot be asked ends it (`fallback = "strict"`). */
  readonly strict: boolean;
}

/** Which token a registry has. */
export type TokenAnswer =
  | {
    readonly kind: "token";
    readonly token: Secret;
    readonly from: "environment" | "store" | "file";
    /** Whether the store and the file hold two different ones. */
    readonly conflict: boolean;
  }
  | {
    readonly kind: "none";
    readonly reason:
      | "absent"
      /** The variable is set to nothing, which cargo takes for a token. */
      | "environment-empty"
      /** The environment names a file that holds no token. */
      | "environment-file-unusable"
      /** What is stored is no token that cargo accepts. */
      | "stored-unusable"
      /** The file has one, for a name that only a project binds to this URL. */
      | "bound-by-project";
  }
  | { readonly kind: "rebound"; readonly rebinding: Rebinding }
  | { readonly kind: "store-failed"; readonly failure: StoreFailure }
  | {
    readonly kind: "file-unusable";
    readonly plaintext: Extract<PlaintextOutcome, { kind: "unusable" }>;
  };

/**
 * Decides which token a command hands out for a registry: the one that a `get`
 * answers, or that `cargo:token` does after it. A token of the file belongs to
 * a name, and a project cannot say for which URL it is handed out.
 */
export function decideToken(facts: TokenFacts): TokenAnswer {
  const { environment, plaintext, rebinding } = facts;
  const own = plaintext.kind === "found" && !facts.superseded
    ? plaintext.token
    : undefined;
  if (
    rebinding !== "none" && (environment.kind !== "none" || own !== undefined)
  ) {
    return { kind: "rebound", rebinding };
  }
  switch (environment.kind) {
    case "token":
      return token(environment.token, "environment");
    case "empty":
      return { kind: "none", reason: "environment-empty" };
    case "unusable":
      // A command need not go on with another token than the one that is named.
      return { kind: "none", reason: "environment-file-unusable" };
    case "none":
      return fromStoreOrFile(facts, own);
  }
}

function fromStoreOrFile(
  { store, plaintext, boundByUser, strict }: TokenFacts,
  own: Secret | undefined,
): TokenAnswer {
  const fromFile = own !== undefined && boundByUser ? own : undefined;
  if (store.kind === "found" && checkToken(store.token) === "valid") {
    // The file wins, as with cargo alone.
    return fromFile === undefined || fromFile.equals(store.token)
      ? token(store.token, "store")
      : token(fromFile, "file", true);
  }
  const failed = store.kind !== "found" && store.kind !== "absent";
  if (failed && strict) return { kind: "store-failed", failure: store };
  if (fromFile !== undefined) return token(fromFile, "file");
  if (failed) return { kind: "store-failed", failure: store };
  if (plaintext.kind === "unusable") {
    return { kind: "file-unusable", plaintext };
  }
  if (store.kind === "found") {
    return { kind: "none", reason: "stored-unusable" };
  }
  return {
    kind: "none",
    reason: own === undefined ? "absent" : "bound-by-project",
  };
}

function token(
  token: Secret,
  from: "environment" | "store" | "file",
  conflict = false,
): TokenAnswer {
  return { kind: "token", token, from, conflict };
}
