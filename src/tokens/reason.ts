import type { IneligibleReason } from "./eligibility.ts";
import {
  describeStoreFailure,
  type FailureCause,
  type StoreFailure,
} from "../stores/credential_store.ts";

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
   * What the rule, the store or the system says about it, as a clause; a URL, a
   * file, a name: see the code's sentence. It may hold any character.
   */
  readonly detail?: string;
  /** Whether naming the registry in a command would do it. */
  readonly byHand?: boolean;
}

/** A store's failure as a reason. */
export function storeReason(failure: StoreFailure): Reason {
  return {
    code: failure.cause,
    detail: describeStoreFailure(failure),
  };
}
