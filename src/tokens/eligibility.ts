import type { FileSystem } from "../../ffi/statfs.ts";
import type { Reach } from "../cargo/provider_chain.ts";
import type {
  PrepareOutcome,
  StoreFailure,
  StoreName,
} from "../stores/credential_store.ts";

/** The providers that cargo asks for a registry where it does not ask this one. */
export type NotListed = Extract<Reach, { readonly kind: "not-listed" }>;

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
  /** Its path. */
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
  readonly keeps: Durability | Pick<StoreFailure, "reason" | "remedy">;
}

/** How a store's default collection keeps what is written to it. */
export type Durability = "durably" | "in-plaintext" | "for-the-session";

/** How a store that takes a token would keep it. */
export function durabilityOf(
  { durable, plaintext }: Extract<PrepareOutcome, { kind: "ready" }>,
): Durability {
  if (!durable) return "for-the-session";
  return plaintext ? "in-plaintext" : "durably";
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

/** A rule that keeps a token in the file, with what its sentence needs. */
export type Rule =
  | {
    readonly reason:
      | "not-a-token"
      | "not-regular"
      | "not-ours"
      | "not-writable";
    readonly path: string;
  }
  | {
    readonly reason: "hard-links";
    readonly path: string;
    readonly links: number;
  }
  | {
    readonly reason: "not-local";
    readonly path: string;
    readonly fileSystem: FileSystem;
  }
  | {
    readonly reason: "tracked-by-git";
    readonly path: string;
    readonly trackedIn: string;
  }
  | { readonly reason: "sandboxed"; readonly sandbox: "flatpak" | "snap" }
  | {
    readonly reason: "not-durable" | "plaintext-keyring";
    readonly storeTitle: string;
  }
  | {
    readonly reason: "store-not-ready";
    readonly failure: Pick<StoreFailure, "reason" | "remedy">;
  }
  | { readonly reason: "not-asked"; readonly asked: NotListed }
  | {
    readonly reason: "bound-otherwise";
    readonly url: string;
    readonly where: string;
  }
  | { readonly reason: "bound-by-variable"; readonly where: string }
  | {
    readonly reason:
      | "sudo"
      | "keyutils"
      | "foreign-container"
      | "ci"
      | "bound-by-project";
  };

/** Why a token stays in the file. */
export type IneligibleReason = Rule["reason"];

/** A token that may not leave the file, by the first rule that it fails. */
export type Ineligible = Rule & {
  readonly kind: "not";
  /** Whether `migrate --registry NAME` would move it all the same. */
  readonly byHand: boolean;
};

/** Whether a token may leave the file. */
export type Eligibility = { readonly kind: "eligible" } | Ineligible;

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
  for (const rule of failedRules(facts)) {
    if (WAIVED[facts.occasion].includes(rule.reason)) continue;
    const byHand = WAIVED["migrate-registry"].includes(rule.reason);
    return { ...rule, kind: "not", byHand };
  }
  return { kind: "eligible" };
}

/** The rules that fail, in the order in which they are told. */
function* failedRules(facts: EligibilityFacts): Generator<Rule> {
  const { file, binding, asked, sandbox } = facts;
  const { path, links, fileSystem, trackedIn } = file;
  const { name, title: storeTitle, keeps } = facts.store;
  if (!file.isRegular) yield { reason: "not-regular", path };
  if (!file.isOurs) yield { reason: "not-ours", path };
  if (facts.sudo) yield { reason: "sudo" };
  if (!file.isWritable) yield { reason: "not-writable", path };
  if (links > 1) yield { reason: "hard-links", path, links };
  if (fileSystem.kind !== "local") {
    yield { reason: "not-local", path, fileSystem };
  }
  if (trackedIn !== "none") yield { reason: "tracked-by-git", path, trackedIn };
  if (!facts.isToken) yield { reason: "not-a-token", path };
  if (sandbox !== "none") yield { reason: "sandboxed", sandbox };
  if (name === "keyutils") yield { reason: "keyutils" };
  if (keeps === "for-the-session") yield { reason: "not-durable", storeTitle };
  if (typeof keeps === "object") {
    yield { reason: "store-not-ready", failure: keeps };
  }
  if (asked.kind === "not-listed") yield { reason: "not-asked", asked };
  if (binding.kind === "otherwise") {
    const { url, where } = binding;
    yield { reason: "bound-otherwise", url, where };
  }
  if (keeps === "in-plaintext") {
    yield { reason: "plaintext-keyring", storeTitle };
  }
  if (facts.container === "foreign-home") {
    yield { reason: "foreign-container" };
  }
  if (facts.ci) yield { reason: "ci" };
  if (binding.kind === "variable") {
    yield { reason: "bound-by-variable", where: binding.where };
  }
  if (binding.kind === "project") yield { reason: "bound-by-project" };
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

/** A token that a logout leaves in the file, by the first rule it fails. */
export interface NotRemovable {
  readonly kind: "not-removable";
  readonly reason:
    | "bound-elsewhere"
    | "not-mapped"
    | "not-regular"
    | "not-ours"
    | "not-writable";
  /** The file's. */
  readonly path: string;
  /** Whether it may be the token of another registry. */
  readonly foreign: boolean;
}

/**
 * Decides whether a logout removes a token from the file. The user asks for
 * nothing else, so it goes wherever it is known to be this registry's and the
 * file is the user's: a network file system, a work tree or a container does
 * not keep it. `sudo` does not either, if the file is that user's own.
 */
export function logoutRemoval(
  { isMapped, isBoundElsewhere, file }: LogoutRemovalFacts,
): { readonly kind: "removable" } | NotRemovable {
  const { path } = file;
  const left = (reason: NotRemovable["reason"], foreign = false) =>
    ({ kind: "not-removable", reason, path, foreign }) as const;
  if (isBoundElsewhere) return left("bound-elsewhere", true);
  if (!isMapped) return left("not-mapped", true);
  if (!file.isRegular) return left("not-regular");
  if (!file.isOurs) return left("not-ours");
  if (!file.isWritable) return left("not-writable");
  return { kind: "removable" };
}
