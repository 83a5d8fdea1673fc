import type { RegistryRef } from "../cargo/registries.ts";
import type { Secret } from "../base/secret.ts";

/**
 * The registry that a request is about (cargo: `RegistryInfo` in
 * `credential/cargo-credential/src/lib.rs`).
 */
export interface Registry extends RegistryRef {
  /** Headers of the 401 response that led to the request, `Name: value`. */
  readonly headers: readonly string[];
}

/** What a token is wanted for (cargo: `Operation`). */
export type Operation =
  | { readonly kind: "read" }
  | {
    readonly kind: "publish";
    readonly name: string;
    readonly vers: string;
    /** SHA-256 of the `.crate` file, in hex. */
    readonly cksum: string;
  }
  | {
    readonly kind: "yank" | "unyank";
    readonly name: string;
    readonly vers: string;
  }
  | { readonly kind: "owners"; readonly name: string }
  /** One that this version of the protocol does not know. */
  | { readonly kind: "unknown" };

/** `cargo` wants a token. */
export interface GetRequest {
  readonly kind: "get";
  readonly registry: Registry;
  readonly operation: Operation;
  /** The provider's arguments from cargo's configuration. */
  readonly args: readonly string[];
}

/** `cargo login`. */
export interface LoginRequest {
  readonly kind: "login";
  readonly registry: Registry;
  /** The token, if cargo has read one; else the provider asks for it. */
  readonly token?: Secret;
  /** Where the registry hands out tokens. */
  readonly loginUrl?: string;
  /** The arguments from the configuration, then those of `cargo login --`. */
  readonly args: readonly string[];
}

/** `cargo logout`. */
export interface LogoutRequest {
  readonly kind: "logout";
  readonly registry: Registry;
  /** The provider's arguments from cargo's configuration. */
  readonly args: readonly string[];
}

/** A request that this program can act on. */
export type CredentialRequest = GetRequest | LoginRequest | LogoutRequest;

/** An answer that makes cargo stop, or ask the next provider. */
export type ErrorAnswer =
  /** Not for this provider: cargo asks the next one. */
  | { readonly kind: "url-not-supported" }
  /** No token here: cargo asks the next one, and remembers. */
  | { readonly kind: "not-found" }
  /** Fatal for cargo. */
  | { readonly kind: "operation-not-supported" }
  /** Fatal for cargo, which prints the message. */
  | { readonly kind: "other"; readonly message: string };

/** What is answered to a {@linkcode GetRequest}. */
export type GetAnswer =
  /** The token; cargo keeps it in memory until it ends. */
  | {
    readonly kind: "token";
    readonly token: Secret;
    /**
     * Whether cargo uses it for what it does later, too, without asking.
     *
     * @default {true}
     */
    readonly operationIndependent?: boolean;
  }
  /** There is a token, which is given to the operation that needs it. */
  | { readonly kind: "placeholder" }
  | ErrorAnswer;

/** What is answered to a {@linkcode LoginRequest}. */
export type LoginAnswer = { readonly kind: "logged-in" } | ErrorAnswer;

/** What is answered to a {@linkcode LogoutRequest}. */
export type LogoutAnswer = { readonly kind: "logged-out" } | ErrorAnswer;

/** Any answer. */
export type Answer = GetAnswer | LoginAnswer | LogoutAnswer;
