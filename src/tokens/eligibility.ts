import type { FileSystem } from "../../ffi/statfs.ts";
import type { Reach } from "../cargo/provider_chain.ts";
import {
  type StoreFailure,
  storeFailureClause,
  type StoreName,
} from "../stores/credential_store.ts";

/**
 * Why a token is to leave the file.
 *
 * - `read`: cargo asked for it
 * - `migrate`: the user moves every token there is
 * - `migrate-registry`: the user moves the token of this registry, and has been
 *   shown its URL
 * - `login`: the store has a newer one
 */
export type Occasion = "read" | "migrate" | "migrate-registry" | "login";

/** The credentials file. Links are followed unless it is said otherwise. */
export interface FileFacts {
  /** Its path, fit for a terminal. */
  readonly path: string;
  /** Whether it is a regular file. */
  readonly isRegular: boolean;
  /** Whether this user owns it. `true` where files have no such owner. */
  readonly isOurs: boolean;
  /** Whether it opens for writing. */
  readonly isWritable: boolean;
  /** How many names (hard links) it has. */
  readonly links: number;
  /** Where it is. */
  readonly fileSystem: FileSystem;
  /** The git work tree whose index lists it, or a link to it. */
  readonly trackedIn: string | "none";
}

/** The store that the token would go to, or is in. */
export interface StoreFacts {
  /** Which one. */
  readonly name: StoreName;
  /** Its name in a sentence. */
  readonly title: string;
  /**
   * How its default collection keeps what is written to it; or why nothing can
   * be written.
   */
  readonly keeps:
    | "durably"
    | "in-plaintext"
    | "for-the-session"
    | Pick<StoreFailure, "reason" | "remedy">;
}

/**
 * Who binds a registry's name to its index URL.
 *
 * - `crates-io`: nobody has to
 * - `user`: a file of the user's own, and none of the user's bindings says
 *   otherwise
 * - `variable`: a variable alone
 * - `project`: a project alone
 */
export type Binding =
  | { readonly kind: "crates-io" | "user" }
  | { readonly kind: "variable"; readonly where: string }
  | { readonly kind: "project" }
  /** The user's own bindings contradict each other. */
  | {
    readonly kind: "otherwise";
    /** The other URL. */
    readonly url: string;
    /** The file or variable that binds the name to it. */
    readonly where: string;
  };

/** Everything that decides whether a token may leave the file. */
export interface EligibilityFacts {
  /** Why it is to leave. */
  readonly occasion: Occasion;
  /** Who binds the registry's name to its index URL. */
  readonly binding: Binding;
  /** Whether cargo asks this program for it, by the user's own files. */
  readonly asked: Reach;
  /** Whether cargo accepts what the file has for a token. */
  readonly isToken: boolean;
  /** The file. */
  readonly file: FileFacts;
  /** The store. */
  readonly store: StoreFacts;
  /** Whether the program was started by another user's `sudo` or the like. */
  readonly sudo: boolean;
  /** The sandbox that the program runs in. */
  readonly sandbox: "flatpak" | "snap" | "none";
  /**
   * The container that the program runs in: with a home of its own, or with
   * cargo's home from elsewhere.
   */
  readonly container: "none" | "own-home" | "foreign-home";
  /** Whether a build service runs the program. */
  readonly ci: boolean;
}

/** Why a token stays in the file. */
export type IneligibleReason =
  | "not-a-token"
  | "not-regular"
  | "not-ours"
  | "sudo"
  | "not-writable"
  | "hard-links"
  | "not-local"
  | "tracked-by-git"
  | "sandboxed"
  | "keyutils"
  | "not-durable"
  | "store-not-ready"
  | "plaintext-keyring"
  | "not-asked"
  | "bound-otherwise"
  | "foreign-container"
  | "ci"
  | "bound-by-variable"
  | "bound-by-project";

/** Whether a token may leave the file. */
export type Eligibility =
  | { readonly kind: "eligible" }
  | {
    readonly kind: "not";
    /** The rule that it fails. */
    readonly reason: IneligibleReason;
    /**
     * A clause for people, without a final stop: the reason, and what to do
     * unless {@linkcode byHand} says it.
     */
    readonly sentence: string;
    /** Whether `migrate --registry NAME` would move it all the same. */
    readonly byHand: boolean;
  };

/**
 * The rules that are about consent: an explicit command gives it. The others
 * are about tokens that would be lost, be left behind or come back, which no
 * command changes.
 *
 * - `plaintext-keyring`, `foreign-container` and `ci`: nobody there has asked
 *   for anything to be moved; a person who types the command has, and is told
 *   what the keyring is
 * - `bound-by-variable` and `bound-by-project`: only a command that names the
 *   registry has shown the URL that the token would be filed under
 *
 * A login is about the same token that the user has just replaced, so that it
 * is no surprise on a build service either; but a file that other machines
 * read is not this login's to change.
 */
const WAIVED: Readonly<Record<Occasion, readonly IneligibleReason[]>> = {
  "read": [],
  "migrate": ["plaintext-keyring", "foreign-container", "ci"],
  "migrate-registry": [
    "plaintext-keyring",
    "foreign-container",
    "ci",
    "bound-by-variable",
    "bound-by-project",
  ],
  "login": ["plaintext-keyring", "ci"],
};

/**
 * Decides whether a token may leave the credentials file. Rules that a command
 * can waive come last, so that nobody is sent to a command that refuses.
 */
export function eligibility(facts: EligibilityFacts): Eligibility {
  for (const [reason, sentence] of failedRules(facts)) {
    if (WAIVED[facts.occasion].includes(reason)) continue;
    const byHand = WAIVED["migrate-registry"].includes(reason);
    return { kind: "not", reason, sentence, byHand };
  }
  return { kind: "eligible" };
}

/** The rules that fail, in the order in which they are told, with the words. */
function* failedRules(
  facts: EligibilityFacts,
): Generator<readonly [IneligibleReason, string]> {
  const { file, store, binding, asked, sandbox } = facts;
  const byLogin =
    "`cargo login` stores a new token, and the line of this one can then be " +
    "taken out of the file by hand";
  if (!file.isRegular) {
    yield ["not-regular", `${file.path} is not a regular file; ${byLogin}`];
  }
  if (!file.isOurs) {
    yield [
      "not-ours",
      `${file.path} belongs to another user, who has another keyring; ` +
      "run cargo as that user",
    ];
  }
  if (facts.sudo) {
    yield [
      "sudo",
      "cargo runs under `sudo` or the like, and the keyring is another " +
      "user's; run cargo as yourself",
    ];
  }
  if (!file.isWritable) {
    yield [
      "not-writable",
      `${file.path} cannot be written; make it writable for its owner`,
    ];
  }
  if (file.links > 1) {
    yield [
      "hard-links",
      `${file.path} has ${file.links} names (hard links), and another ` +
      `may be a backup or belong to another program; ${byLogin}`,
    ];
  }
  if (file.fileSystem.kind !== "local") {
    yield ["not-local", `${describeFileSystem(file)}; ${byLogin}`];
  }
  if (file.trackedIn !== "none") {
    yield [
      "tracked-by-git",
      `git tracks ${file.path} in ${file.trackedIn}, and would bring the ` +
      "token back; take the file out of git (`git rm --cached`), and revoke " +
      "the token if it was ever committed",
    ];
  }
  if (!facts.isToken) {
    yield [
      "not-a-token",
      `${file.path} holds something that cargo takes for no token ` +
      "(printable ASCII); `cargo login` replaces it",
    ];
  }
  if (sandbox !== "none") {
    yield [
      "sandboxed",
      `cargo runs in a ${sandbox}, and other programs may not see what is ` +
      "stored there; run cargo outside of it",
    ];
  }
  if (store.name === "keyutils") {
    yield [
      "keyutils",
      "the kernel's keyring is empty after the next boot, and the token " +
      'would be lost; `store = "auto"` chooses a store that is not',
    ];
  }
  if (store.keeps === "for-the-session") {
    yield [
      "not-durable",
      `what ${store.title} would keep is gone when the session ends, since ` +
      "its default collection is in memory; make another collection the " +
      "default one, for instance with Seahorse",
    ];
  }
  if (typeof store.keeps === "object") {
    yield ["store-not-ready", storeFailureClause(store.keeps)];
  }
  if (asked.kind === "not-listed") {
    const { where, instead } = asked;
    yield [
      "not-asked",
      "cargo would not find the token again: it asks " +
      (instead.length === 0 ? "other providers" : instead.join(", ")) +
      " for this registry, and not this program" +
      (where === undefined ? "" : ` (${where})`) +
      "; `cargo-credential-keyring setup` lists it",
    ];
  }
  if (binding.kind === "otherwise") {
    yield [
      "bound-otherwise",
      "your own configuration binds this registry's name to " +
      `${binding.url}, too (${binding.where}), which needs the token; ` +
      "`migrate --registry NAME --index URL` copies it",
    ];
  }
  if (store.keeps === "in-plaintext") {
    yield [
      "plaintext-keyring",
      `the default keyring of ${store.title} has no password and is a ` +
      "plaintext file itself; give it a password, for instance with Seahorse",
    ];
  }
  if (facts.container === "foreign-home") {
    yield [
      "foreign-container",
      "this is a container, and cargo's home is not on the file system of " +
      "its keyrings: the token may belong to another machine",
    ];
  }
  if (facts.ci) {
    yield [
      "ci",
      "`CI` is set, and what a job was given stays where it was put",
    ];
  }
  if (binding.kind === "variable") {
    yield [
      "bound-by-variable",
      `only ${binding.where} binds this registry's name to its URL, and may ` +
      "do so for this command alone",
    ];
  }
  if (binding.kind === "project") {
    yield [
      "bound-by-project",
      "no configuration of your own binds this registry's name to its URL",
    ];
  }
}

function describeFileSystem(
  { path, fileSystem: { kind, name } }: FileFacts,
): string {
  switch (kind) {
    case "network":
      return `${path} is on a network file system (${name}), where other ` +
        "machines may need it";
    case "fuse":
      return `${path} is on a file system that a program provides (${name}), ` +
        "which may be on another machine";
    default:
      return `it is not known whether ${path} is on this machine`;
  }
}

/** Everything that decides whether a logout removes a token from the file. */
export interface LogoutRemovalFacts {
  /** Whether the merged configuration binds the name to the request's URL. */
  readonly isMapped: boolean;
  /** Whether the user's own configuration binds the name to another URL. */
  readonly isBoundElsewhere: boolean;
  /** The file. */
  readonly file: Pick<
    FileFacts,
    "path" | "isRegular" | "isOurs" | "isWritable"
  >;
}

/** Whether a logout removes the plaintext token. */
export type LogoutRemoval =
  | { readonly kind: "removable" }
  | {
    readonly kind: "left";
    /** The rule that it fails. */
    readonly reason:
      | "bound-elsewhere"
      | "not-mapped"
      | "not-regular"
      | "not-ours"
      | "not-writable";
    /** A clause for people, without a final stop. */
    readonly sentence: string;
    /** Whether it may be the token of another registry. */
    readonly foreign: boolean;
  };

/**
 * Decides whether a logout removes a token from the file. The user asks for
 * nothing else, so it goes wherever it is known to be this registry's and the
 * file is the user's: a network file system, a work tree or a container does
 * not keep it. `sudo` does not either, if the file is that user's own.
 */
export function logoutRemoval(facts: LogoutRemovalFacts): LogoutRemoval {
  const { file } = facts;
  const left = (
    reason: Extract<LogoutRemoval, { kind: "left" }>["reason"],
    sentence: string,
  ): LogoutRemoval => ({
    kind: "left",
    reason,
    sentence,
    foreign: reason === "bound-elsewhere" || reason === "not-mapped",
  });
  if (facts.isBoundElsewhere) {
    return left(
      "bound-elsewhere",
      "your own configuration binds this registry's name to another URL, " +
        "whose token it is",
    );
  }
  if (!facts.isMapped) {
    return left(
      "not-mapped",
      "no configuration binds this registry's name to its URL, so that it may " +
        "be another registry's token",
    );
  }
  if (!file.isRegular) {
    return left("not-regular", `${file.path} is not a regular file`);
  }
  if (!file.isOurs) {
    return left("not-ours", `${file.path} belongs to another user`);
  }
  if (!file.isWritable) {
    return left("not-writable", `${file.path} cannot be written`);
  }
  return { kind: "removable" };
}
