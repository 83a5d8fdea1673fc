import type { EditOutcome, LockOutcome } from "../credentials/lock.ts";
import {
  describeStoreFailure,
  type FailureCause,
  type StoreFailure,
} from "../stores/credential_store.ts";
import type {
  Ineligible,
  IneligibleReason,
  NotListed,
  NotRemovable,
} from "./eligibility.ts";

/** Why the credentials file was not locked, read or edited. */
export type FileObstacle =
  | Extract<LockOutcome<never>, { readonly kind: "unusable" | "failed" }>
  | Exclude<EditOutcome, { readonly kind: "edited" | "unchanged" }>;

/** Why a token was left where it is; `describeObstacle()` has the words. */
export type Obstacle =
  | FileObstacle
  | StoreFailure
  | Ineligible
  | NotRemovable
  | NotListed
  | {
    readonly kind:
      /** Another program holds cargo's lock. */
      | "busy"
      /** There was no file to lock. */
      | "not-locked"
      | "not-created"
      /** The user wants it there. */
      | "as-asked"
      /** What was moved is in the store, but might not be there tomorrow. */
      | "not-yet-on-disk"
      | "in-memory"
      /** The same of the token that replaces it. */
      | "new-not-yet-on-disk";
  };

/** Why something was done to a registry's token in just this way, or was not. */
export type ReasonCode =
  // done
  | "moved"
  | "removed"
  | "superseded"
  | "copied"
  | "not-yet-on-disk"
  | "adopted"
  | "imported"
  | "restored"
  | "kept-stored"
  | "discards-file"
  | "discards-stored"
  // nothing to do
  | "stored"
  | "no-token"
  | "nothing-stored"
  | "pinned"
  // not known which registry is meant
  | "no-index"
  | "no-name"
  | "in-use"
  | "rebound"
  // two tokens
  | "different-tokens"
  | "other-items"
  // to be decided by a person
  | "needs-yes"
  | "declined"
  // not to be moved
  | "in-config"
  | "never-read"
  | "fallback"
  | "stored-unusable"
  | "not-erased"
  // disturbed
  | "busy"
  | "changed"
  | "no-memory"
  | "not-read-back"
  | "leads-elsewhere"
  | "file-unusable"
  | "not-edited"
  | IneligibleReason
  | FailureCause;

/** A {@linkcode ReasonCode}, with what its sentence needs. */
export interface Reason {
  readonly code: ReasonCode;
  /**
   * What the store says about it, as a clause; a URL, a file, a name: see the
   * code's sentence. It may hold any character.
   */
  readonly detail?: string;
  /** What stood in the way. */
  readonly obstacle?: Obstacle;
}

/** A store's failure as a reason. */
export function storeReason(failure: StoreFailure): Reason {
  return {
    code: failure.cause,
    detail: describeStoreFailure(failure),
  };
}
