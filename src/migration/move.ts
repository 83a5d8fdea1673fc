import type { Secret } from "../secret.ts";
import type { GetOutcome, StoreFailure } from "../stores/credential_store.ts";

/** What came of moving a token from the file into the store. */
export type MoveOutcome =
  /** It is in the store, and no longer in the file. */
  | { readonly kind: "moved" }
  /** It is in both: the store has it, the file could not be edited. */
  | { readonly kind: "stored"; readonly reason: string }
  /** Somebody else holds cargo's lock on the file. */
  | { readonly kind: "busy" }
  /** The file holds something else by now. */
  | { readonly kind: "file-changed"; readonly token: Secret | "none" }
  /** The store answers differently by now. */
  | { readonly kind: "store-changed"; readonly outcome: GetOutcome }
  /** The store did not take it; the file is as it was. */
  | { readonly kind: "not-stored"; readonly failure: StoreFailure };

/** What came of removing a token from the file. */
export type RemovalOutcome =
  | { readonly kind: "removed" }
  /** There was none. */
  | { readonly kind: "none" }
  | {
    readonly kind: "left";
    /** Why, as a clause without a final stop. */
    readonly reason: string;
  };
