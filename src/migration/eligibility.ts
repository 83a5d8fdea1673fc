import type { FileSystem } from "../../ffi/statfs.ts";
import type { StoreFailure, StoreName } from "../stores/credential_store.ts";

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
  /** The git work tree that it, or a link to it, is in. */
  readonly workTree: string | "none";
}

/** The store that the token would go to, or is in. */
export interface StoreFacts {
  /** Which one. */
  readonly name: StoreName;
  /** Its name in a sentence. */
  readonly title: string;
  /** Whether what it keeps outlives the session. */
  readonly keeps: "durably" | "for-the-session" | "without-default-collection";
  /** Why nothing can be written there, for another reason than these. */
  readonly failure?: Pick<StoreFailure, "reason" | "remedy">;
}

/** Everything that decides whether a token may leave the file. */
export interface EligibilityFacts {
  /** Why it is to leave. */
  readonly occasion: Occasion;
  /**
   * Who binds the registry's name to its index URL: nobody has to for crates.io,
   * and a `project` is one that alone does.
   */
  readonly binding: "crates-io" | "user" | "project";
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
  | "git-work-tree"
  | "sandboxed"
  | "keyutils"
  | "not-durable"
  | "no-default-collection"
  | "store-failure"
  | "foreign-container"
  | "ci"
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
 * - `foreign-container` and `ci`: nobody there has asked for anything to be
 *   moved; a person who types the command has
 * - `bound-by-project`: only a command that names the registry has shown the
 *   URL that the token would be filed under
 *
 * A login is about the same token that the user has just replaced, so that it
 * is no surprise on a build service either; but a file that other machines
 * read is not this login's to change.
 */
const WAIVED: Readonly<Record<Occasion, readonly IneligibleReason[]>> = {
  "read": [],
  "migrate": ["foreign-container", "ci"],
  "migrate-registry": ["foreign-container", "ci", "bound-by-project"],
  "login": ["ci"],
};

/**
 * Decides whether a token may leave the credentials file. Rules that a command
 * can waive come last, so that nobody is sent to a command that refuses.
 *
 * @param facts What is known.
 * @returns `eligible`, or the first rule that it fails.
 *
 * @example Usage
 * ```ts
 * import { eligibility } from "./eligibility.ts";
 *
 * const verdict = eligibility({
 *   occasion: "read",
 *   binding: "crates-io",
 *   isToken: true,
 *   file: {
 *     path: "/users/me/.cargo/credentials.toml",
 *     isRegular: true,
 *     isOurs: true,
 *     isWritable: true,
 *     links: 1,
 *     fileSystem: { kind: "local", name: "ext4" },
 *     workTree: "none",
 *   },
 *   store: {
 *     name: "secret-service",
 *     title: "the Secret Service",
 *     keeps: "durably",
 *   },
 *   sudo: false,
 *   sandbox: "none",
 *   container: "none",
 *   ci: true,
 * });
 * if (verdict.kind === "eligible") throw new Error("moved on a build service");
 * ```
 */
export function eligibility(facts: EligibilityFacts): Eligibility {
  const failed = failedRules(facts).find((reason) =>
    !WAIVED[facts.occasion].includes(reason)
  );
  return failed === undefined ? { kind: "eligible" } : {
    kind: "not",
    reason: failed,
    sentence: describe(failed, facts),
    byHand: WAIVED["migrate-registry"].includes(failed),
  };
}

/** In the order in which they are told. */
function failedRules(facts: EligibilityFacts): readonly IneligibleReason[] {
  const { file, store } = facts;
  const rules: readonly (readonly [IneligibleReason, boolean])[] = [
    ["not-regular", !file.isRegular],
    ["not-ours", !file.isOurs],
    ["sudo", facts.sudo],
    ["not-writable", !file.isWritable],
    ["hard-links", file.links > 1],
    ["not-local", file.fileSystem.kind !== "local"],
    ["git-work-tree", file.workTree !== "none"],
    ["not-a-token", !facts.isToken],
    ["sandboxed", facts.sandbox !== "none"],
    ["keyutils", store.name === "keyutils"],
    ["not-durable", store.keeps === "for-the-session"],
    ["no-default-collection", store.keeps === "without-default-collection"],
    ["store-failure", store.failure !== undefined],
    ["foreign-container", facts.container === "foreign-home"],
    ["ci", facts.ci],
    ["bound-by-project", facts.binding === "project"],
  ];
  return rules.filter(([_, fails]) => fails).map(([reason]) => reason);
}

/** The only place where the reasons are worded. */
function describe(
  reason: IneligibleReason,
  { file, store, sandbox }: EligibilityFacts,
): string {
  const anew =
    "`cargo login` stores a token anew, and its line can then be taken out " +
    "of the file by hand";
  switch (reason) {
    case "not-regular":
      return `${file.path} is not a regular file; ${anew}`;
    case "not-ours":
      return `${file.path} belongs to another user, who has another keyring; ` +
        "run cargo as that user";
    case "sudo":
      return "cargo runs under `sudo` or the like, and the keyring is another " +
        "user's; run cargo as yourself";
    case "not-writable":
      return `${file.path} cannot be written; make it writable for its owner`;
    case "hard-links":
      return `${file.path} has ${file.links} names (hard links), and another ` +
        `may be a backup or belong to another program; ${anew}`;
    case "not-local":
      return describeFileSystem(file) + `; ${anew}`;
    case "git-work-tree":
      return `${file.path} is in the git work tree ${file.workTree}, where ` +
        "git may have a copy and bring the token back; take the file out of " +
        "git, and revoke the token if it was ever committed";
    case "not-a-token":
      return `${file.path} holds something that cargo takes for no token ` +
        "(printable ASCII); `cargo login` replaces it";
    case "sandboxed":
      return `cargo runs in a ${sandbox}, and other programs may not see what ` +
        "is stored there; run cargo outside of it";
    case "keyutils":
      return "the kernel's keyring is empty after the next boot, and the token " +
        'would be lost; `store = "auto"` chooses a store that is not';
    case "not-durable":
      return `what ${store.title} would keep is gone when the session ends, ` +
        "since its default collection is in memory; make another collection " +
        "the default one, for instance with Seahorse";
    case "no-default-collection":
      return `${store.title} has no default collection; create one, for ` +
        "instance with Seahorse";
    case "store-failure": {
      const { reason, remedy } = store.failure ?? { reason: "", remedy: "" };
      return `${reason}. ${remedy.replace(/\.$/, "")}`;
    }
    case "foreign-container":
      return "this is a container, and cargo's home is not on the file system " +
        "of its keyrings: the token may belong to another machine";
    case "ci":
      return "`CI` is set, and what a job was given stays where it was put";
    case "bound-by-project":
      return "only a project's configuration binds this registry's name to its " +
        "URL, and yours does not";
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
 *
 * @param facts What is known.
 * @returns `removable`, or why it is left.
 *
 * @example Usage
 * ```ts
 * import { logoutRemoval } from "./eligibility.ts";
 *
 * const { kind } = logoutRemoval({
 *   isMapped: true,
 *   isBoundElsewhere: true,
 *   file: {
 *     path: "/users/me/.cargo/credentials.toml",
 *     isRegular: true,
 *     isOurs: true,
 *     isWritable: true,
 *   },
 * });
 * if (kind !== "left") throw new Error("removed another registry's token");
 * ```
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
