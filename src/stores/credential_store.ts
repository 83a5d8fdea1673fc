import type { RegistryRef } from "../cargo/registries.ts";
import type { Secret } from "../base/secret.ts";

/** The stores there are, by the names that the `store` setting takes. */
export const STORE_NAMES = [
  "secret-service",
  "keychain",
  "wincred",
  "systemd",
  "keyutils",
] as const;

/** One of {@linkcode STORE_NAMES}. */
export type StoreName = typeof STORE_NAMES[number];

/** What the `store` setting takes; `auto` is the platform's durable one. */
export type StoreSetting = "auto" | StoreName | "off";

/**
 * Why a store could not do what it was asked.
 *
 * - `locked`: it is there, and what was asked for needs it open
 * - `unreachable`: nobody answers, or there is no such store here
 * - `denied`: it answered, and refused
 * - `timeout`: the deadline passed while it was being asked
 */
export type FailureKind = "locked" | "unreachable" | "denied" | "timeout";

/** What exactly went wrong: one name for each reason that has its own words. */
export type FailureCause =
  // unreachable
  | "switched-off"
  | "library-missing"
  | "no-bus"
  | "foreign-bus"
  | "no-service"
  | "no-default-collection"
  | "service-failed"
  | "forbidden-by-kernel"
  | "no-logon-session"
  | "no-keychain"
  // locked
  | "locked"
  | "interaction-not-allowed"
  // denied
  | "access-denied"
  | "sandboxed"
  | "prompt-dismissed"
  | "missing-entitlement"
  | "too-large"
  | "store-full"
  | "forbidden-by-policy"
  | "not-kept"
  // timeout
  | "deadline";

/** A failure, with its words for people. */
export interface StoreFailure {
  /** Which of the four failures. */
  readonly kind: FailureKind;
  /** What exactly. */
  readonly cause: FailureCause;
  /** A clause without a final stop: `the login keyring is locked`. */
  readonly reason: string;
  /** What to do about it: one sentence or two, each with its final stop. */
  readonly remedy: string;
  /**
   * Whether an item may lie in the store all the same. `false` if it is
   * switched off, or there is no such store on this system; a store that this
   * process does not reach (no bus in this shell, a library that does not
   * load, no service now) keeps what it has.
   */
  readonly storeExists: boolean;
  /**
   * `locked` only: what the store shows of the item that was asked for while
   * it is locked. `unknown` if it cannot tell.
   */
  readonly item?: "visible" | "none" | "unknown";
}

/** A failure in words: what is the matter, and what to do about it. */
export function describeStoreFailure(
  { reason, remedy }: Pick<StoreFailure, "reason" | "remedy">,
): string {
  return `${reason}. ${remedy}`;
}

/** The same as a clause without a final stop. */
export function storeFailureClause(
  failure: Pick<StoreFailure, "reason" | "remedy">,
): string {
  return describeStoreFailure(failure).replace(/\.$/, "");
}

/**
 * Whether there is nothing that a person could open or put right from here, so
 * that it does not matter who is present.
 *
 * Returns `true` if no store can be reached on this system or in this session.
 */
export function isOutOfReach(failure: StoreFailure): boolean {
  return !failure.storeExists || OUT_OF_REACH.has(failure.cause);
}

const OUT_OF_REACH: ReadonlySet<FailureCause> = new Set([
  "library-missing",
  "no-bus",
  "no-service",
]);

/**
 * How well the collection that holds an item keeps it.
 *
 * - `on-disk`: it survives the end of the session, a crash and a reboot
 * - `not-yet-on-disk`: it will; the service may still have it in memory alone
 * - `in-memory`: it is gone with the session or at the next boot
 */
export type Keeping = "on-disk" | "not-yet-on-disk" | "in-memory";

/**
 * What {@linkcode CredentialStore.get} answers.
 *
 * `absent` is a positive answer: the store was open, was searched, and holds
 * nothing. Whatever falls short of that is a {@linkcode StoreFailure}. An item
 * with an empty secret is `found`.
 */
export type GetOutcome =
  | {
    readonly kind: "found";
    /** What the item holds; the caller wipes it. */
    readonly token: Secret;
    /**
     * Other items of the same index URL that hold another secret, named for
     * people (collection and label). Items with the same secret do not count.
     */
    readonly others: readonly string[];
    /** How well that very item is kept: of several that agree, the best. */
    readonly keeps: Keeping;
  }
  | { readonly kind: "absent" }
  | StoreFailure;

/** What {@linkcode CredentialStore.prepare} answers. */
export type PrepareOutcome =
  | {
    readonly kind: "ready";
    /**
     * Whether what is written survives the end of the session and a reboot
     * (`false`: keyutils, a default collection that lives in memory).
     */
    readonly durable: boolean;
    /**
     * Whether what is written lies unencrypted on disk (a keyring of GNOME
     * Keyring that has no password).
     */
    readonly plaintext: boolean;
    /** Whether a person may have to allow it to each process that reads. */
    readonly asksEachProcess?: true;
  }
  | StoreFailure;

/** What {@linkcode CredentialStore.set} answers. */
export type SetOutcome = { readonly kind: "stored" } | StoreFailure;

/** What {@linkcode CredentialStore.verify} answers. */
export type VerifyOutcome =
  | { readonly kind: "stored"; readonly keeps: Keeping }
  | StoreFailure;

/** What {@linkcode CredentialStore.erase} answers. */
export type EraseOutcome =
  | {
    readonly kind: "erased";
    /** Items of the same index URL that stayed (locked), named for people. */
    readonly remaining: readonly string[];
  }
  | { readonly kind: "absent" }
  | StoreFailure;

/** What {@linkcode CredentialStore.list} lists. */
export interface ListOptions extends StoreOptions {
  /**
   * Whether the scoped tokens are listed (see `splitScoped()`) instead of the
   * registries' own. A store behind `openStore()` tells them apart.
   *
   * @default {false}
   */
  readonly scoped?: boolean;
}

/** What {@linkcode CredentialStore.list} answers. */
export type ListOutcome =
  | { readonly kind: "items"; readonly items: readonly RegistryRef[] }
  | StoreFailure;

/** How a store is to be asked. */
export interface StoreOptions {
  /**
   * The deadline. A store ends its calls when the signal is aborted and then
   * answers `timeout`.
   */
  readonly signal: AbortSignal;
  /**
   * Whether the store may open a dialog of its own and wait for a person.
   *
   * @default {false}
   */
  readonly prompt?: boolean;
}

/**
 * A credential store of the operating system.
 *
 * No method throws for anything that the system or the user did: every
 * outcome is a value. A throw is a mistake in this program.
 */
export interface CredentialStore {
  /** Which one it is. */
  readonly name: StoreName;
  /** Its name in sentences, such as `the Secret Service`. */
  readonly title: string;

  /**
   * Looks an item up. Without `prompt` no dialog opens, and what needs none is
   * unlocked on the way; with it a locked store may ask for its password.
   *
   * Returns the token, `absent`, or why neither is known.
   */
  get(key: RegistryRef, options: StoreOptions): Promise<GetOutcome>;

  /**
   * Makes sure that {@linkcode set} can write without a dialog. With `prompt`
   * a locked store may ask for its password first.
   *
   * Returns `ready`, or why nothing can be written.
   */
  prepare(options: StoreOptions): Promise<PrepareOutcome>;

  /**
   * Writes an item in place of the one with the same key, if there is one. It
   * never opens a dialog: call {@linkcode prepare} first.
   */
  set(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<SetOutcome>;

  /**
   * Reads the item that {@linkcode set} wrote (of several with that key: the
   * one in the collection that `set` writes to) back through a connection of
   * its own, as another process would. It never opens a dialog.
   *
   * `token`: what it must hold.
   * Returns `stored` only if the very bytes came back; cause `not-kept` if
   * something else did, or nothing.
   */
  verify(
    key: RegistryRef,
    token: Secret,
    options: StoreOptions,
  ): Promise<VerifyOutcome>;

  /**
   * Erases every item of the key that can be opened.
   *
   * Returns `erased`, `absent` if there was nothing, or why neither is known.
   */
  erase(key: RegistryRef, options: StoreOptions): Promise<EraseOutcome>;

  /**
   * Lists the items of all registries. It never opens a dialog.
   *
   * Returns the items' keys, without secrets.
   */
  list(options: ListOptions): Promise<ListOutcome>;
}
