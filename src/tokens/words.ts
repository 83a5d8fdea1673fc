import type { UnusableReason } from "../credentials/file.ts";
import { storeFailureClause } from "../stores/credential_store.ts";
import type { ArchiveFault } from "./archive_file.ts";
import type { FileFacts, NotRemovable, Rule } from "./eligibility.ts";
import type { FileObstacle, Obstacle } from "./reason.ts";

const FILE_REASONS: Readonly<
  Record<FileObstacle["reason"] | UnusableReason, string>
> = {
  "no-space": "there is no space left on its device",
  "read-only": "its file system is read-only",
  "denied": "it cannot be written",
  "io": "its device has failed",
  "dangling-link": "it is a link to a file that does not exist",
  "token-exists": "it holds a token for that registry already",
  "no-place": "it is written such that the token has no place in it",
  "page-boundary": "the line cannot be changed without a moment in which a " +
    "crash would tear it; take it out by hand",
  "longer-than-a-page":
    "the token is longer than 4096 bytes, which no single write can put there " +
    "or take away; edit the file by hand",
  "changed-meanwhile": "another program has just changed it",
  "not-a-regular-file": "it is not a regular file",
  "unreadable": "it cannot be read",
  "out-of-reach": "it is below /dev, /proc or /sys, which this program may " +
    "not read",
  "too-large": "it is too large",
  "not-utf-8": "it is not UTF-8",
  "malformed": "it is not valid TOML",
};

/**
 * Why the credentials file was not locked, read or edited: a clause without
 * its subject's name or a final stop. None of the file is shown.
 */
export function describeFileObstacle(obstacle: FileObstacle): string {
  const place = obstacle.kind === "unusable" && obstacle.line !== undefined
    ? ` (line ${obstacle.line})`
    : "";
  return FILE_REASONS[obstacle.reason] + place;
}

/** Why a token was left where it is: a clause without a final stop. */
export function describeObstacle(obstacle: Obstacle): string {
  switch (obstacle.kind) {
    case "unusable":
    case "failed":
    case "refused":
      return describeFileObstacle(obstacle);
    case "locked":
    case "unreachable":
    case "denied":
    case "timeout":
      return obstacle.reason;
    case "not":
      return describeRule(obstacle);
    case "not-removable":
      return describeNotRemovable(obstacle);
    case "not-listed":
      return "cargo does not ask this program for it" +
        (obstacle.instead.length === 0
          ? ""
          : `: it asks ${obstacle.instead.join(", ")}`) +
        `${inPlace(obstacle.where)}; ${SETUP_LISTS_IT}`;
    case "busy":
      return "another program is writing that file; try again";
    case "not-locked":
      return "it is not locked";
    case "not-created":
      return "it cannot be created";
    case "as-asked":
      return "it is to stay there";
    case "not-yet-on-disk":
      return "the store has yet to write it to disk";
    case "in-memory":
      return "the store has it in memory alone";
    case "new-not-yet-on-disk":
      return "the store has yet to write the new one";
  }
}

const SETUP_LISTS_IT = "`cargo-credential-keyring setup` lists it";

const LOGIN_STORES_ANOTHER =
  "`cargo login` stores a new token, and the line of this one can then be " +
  "taken out of the file by hand";

function inPlace(where: string | undefined): string {
  return where === undefined ? "" : ` (${where})`;
}

/**
 * The rule that keeps a token in the file: a clause without a final stop, with
 * what to do unless the rule is one that `migrate --registry NAME` waives.
 */
export function describeRule(rule: Rule): string {
  switch (rule.reason) {
    case "not-regular":
      return `${rule.path} is not a regular file; ${LOGIN_STORES_ANOTHER}`;
    case "not-ours":
      return `${rule.path} belongs to another user, who has another keyring; ` +
        "run cargo as that user";
    case "sudo":
      return "cargo runs under `sudo` or the like, and the keyring is another " +
        "user's; run cargo as yourself";
    case "not-writable":
      return `${rule.path} cannot be written; make it writable for its owner`;
    case "hard-links":
      return `${rule.path} has ${rule.links} names (hard links), and another ` +
        `may be a backup or belong to another program; ${LOGIN_STORES_ANOTHER}`;
    case "not-local":
      return `${describeFileSystem(rule)}; ${LOGIN_STORES_ANOTHER}`;
    case "tracked-by-git":
      return `git tracks ${rule.path} in ${rule.trackedIn}, and would bring ` +
        "the token back; take the file out of git (`git rm --cached`), and " +
        "revoke the token if it was ever committed";
    case "not-a-token":
      return `${rule.path} holds something that cargo takes for no token ` +
        "(printable ASCII); `cargo login` replaces it";
    case "sandboxed":
      return `cargo runs in a ${rule.sandbox}, and other programs may not see ` +
        "what is stored there; run cargo outside of it";
    case "keyutils":
      return "the kernel's keyring is empty after the next boot, and the " +
        'token would be lost; `store = "auto"` chooses a store that is not';
    case "not-durable":
      return `what ${rule.storeTitle} would keep is gone when the session ` +
        "ends, since its default collection is in memory; make another " +
        "collection the default one, for instance with Seahorse";
    case "store-not-ready":
      return storeFailureClause(rule.failure);
    case "not-asked": {
      const { where, instead } = rule.asked;
      return "cargo would not find the token again: it asks " +
        (instead.length === 0 ? "other providers" : instead.join(", ")) +
        ` for this registry, and not this program${inPlace(where)}; ` +
        SETUP_LISTS_IT;
    }
    case "bound-otherwise":
      return "your own configuration binds this registry's name to " +
        `${rule.url}, too (${rule.where}), which needs the token; ` +
        "`migrate --registry NAME --index URL` copies it";
    case "plaintext-keyring":
      return `the default keyring of ${rule.storeTitle} has no password and ` +
        "is a plaintext file itself; give it a password, for instance with " +
        "Seahorse";
    case "foreign-container":
      return "this is a container, and cargo's home is not on the file system " +
        "of its keyrings: the token may belong to another machine";
    case "ci":
      return "`CI` is set, and what a job was given stays where it was put";
    case "bound-by-variable":
      return `only ${rule.where} binds this registry's name to its URL, and ` +
        "may do so for this command alone";
    case "bound-by-project":
      return "no configuration of your own binds this registry's name to its " +
        "URL";
  }
}

function describeFileSystem(
  { path, fileSystem: { kind, name } }: Pick<FileFacts, "path" | "fileSystem">,
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

function describeNotRemovable({ reason, path }: NotRemovable): string {
  switch (reason) {
    case "bound-elsewhere":
      return "your own configuration binds this registry's name to another " +
        "URL, whose token it is";
    case "not-mapped":
      return "no configuration binds this registry's name to its URL, so that " +
        "it may be another registry's token";
    case "not-regular":
      return `${path} is not a regular file`;
    case "not-ours":
      return `${path} belongs to another user`;
    case "not-writable":
      return `${path} cannot be written`;
  }
}

/** Why no archive can be written: a clause without its subject. */
export function describeArchiveFault(fault: ArchiveFault): string {
  switch (fault.kind) {
    case "directory":
      return "is a directory";
    case "link":
      return "is a symbolic link: name the file itself";
    case "not-a-regular-file":
      return "is not a regular file";
    case "no-folder":
      return "cannot be created: its folder does not exist";
    case "denied":
      return "cannot be created: its folder may not be written to";
    case "no-space":
      return "cannot be written: there is no space left on its device";
    case "failed":
      return `cannot be written (${fault.code})`;
  }
}
