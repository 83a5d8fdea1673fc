import type {
  FailureCause,
  FailureKind,
  StoreFailure,
} from "./credential_store.ts";

/** What kind of failure each cause is. */
const KINDS: Readonly<Record<FailureCause, FailureKind>> = {
  "switched-off": "unreachable",
  "library-missing": "unreachable",
  "no-bus": "unreachable",
  "foreign-bus": "unreachable",
  "no-service": "unreachable",
  "no-default-collection": "unreachable",
  "service-failed": "unreachable",
  "forbidden-by-kernel": "unreachable",
  "no-logon-session": "unreachable",
  "no-keychain": "unreachable",
  "locked": "locked",
  "interaction-not-allowed": "locked",
  "access-denied": "denied",
  "sandboxed": "denied",
  "prompt-dismissed": "denied",
  "missing-entitlement": "denied",
  "too-large": "denied",
  "store-full": "denied",
  "forbidden-by-policy": "denied",
  "not-kept": "denied",
  "deadline": "timeout",
};

/** What else there is to say of a failure. */
export interface StoreFailureOptions extends Pick<StoreFailure, "item"> {
  /** @default {true} */
  readonly storeExists?: boolean;
}

/** What to do where a store cannot be used at all. */
export const ANOTHER_STORE =
  "Choose another store, or keep the token in an environment variable.";

/** A request that came too late for a store whose calls cannot wait. */
export function askedTooLate(title: string): StoreFailure {
  return storeFailure(
    "deadline",
    `the deadline had passed before ${title} was asked`,
    "Allow more time with the `timeout` setting.",
  );
}

/**
 * A failure with its words.
 *
 * `reason`: a clause without a final stop.
 * `remedy`: what to do about it, with its final stop.
 */
export function storeFailure(
  cause: FailureCause,
  reason: string,
  remedy: string,
  options: StoreFailureOptions = {},
): StoreFailure {
  const kind = KINDS[cause];
  return { kind, cause, reason, remedy, storeExists: true, ...options };
}
