import type { EnvironmentToken } from "../cargo/environment_token.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import { checkToken } from "../cargo/token.ts";
import type { Eligibility } from "../migration/eligibility.ts";
import type { IntentKind } from "../migration/state.ts";
import type { Secret } from "../base/secret.ts";
import type { Settings, WrongSetting } from "../settings/settings.ts";
import type { GetOutcome, StoreFailure } from "../stores/credential_store.ts";

/** Where this provider stands in cargo's chain of providers. */
export interface Chain {
  /** Whether `cargo:token` is asked after this provider. */
  readonly cargoTokenFollows: boolean;
  /** Whether `cargo:token` is asked at all for this registry. */
  readonly cargoTokenListed: boolean;
}

/** What is known when a `get` is decided; what is `undefined` has not been looked at. */
export interface GetFacts {
  /** The settings, or the one that is wrong. */
  readonly settings: Settings | WrongSetting;
  /** The token variable of this registry. */
  readonly environment: EnvironmentToken;
  /** Whether a dialog may open: somebody is there, or `prompt = "always"`. */
  readonly mayPrompt?: boolean;
  /** What the store answered without a dialog. */
  readonly store?: GetOutcome;
  /** What the store answered with one. */
  readonly prompted?: GetOutcome;
  /** The plaintext token of this registry's name; `none` if there is none. */
  readonly plaintext?: Secret | "none";
  /** What an earlier command meant to happen to this index URL. */
  readonly intent?: IntentKind | "none";
  /** Whether `restore` or `migrate --keep-file` has pinned the file's token. */
  readonly pinned?: boolean;
  /** Whether the store may still have T in memory alone. */
  readonly settling?: boolean;
  /** Whether a project binds this name to a URL that the user does not. */
  readonly rebinding?: Rebinding | "none";
  /** Whether the plaintext token may be moved. */
  readonly eligibility?: Eligibility;
  readonly chain?: Chain;
}

/** What has to be looked at before the decision can go on. */
export type GetNeed =
  /** The store, the credentials file and the state, all at once. */
  | "store-and-file"
  /** Whether a dialog may open. */
  | "person"
  | "prompt"
  | "rebinding"
  | "eligibility"
  | "chain";

/** Where the answer comes from, or which error it is. */
export type GetVerdict =
  | "environment-token"
  | "stored-token"
  | "file-token"
  | "not-found"
  | "url-not-supported"
  /** An error in the words of the notice. */
  | "other";

/** What is done before the answer is sent; none of it can change the answer to a failure. */
export type GetAction =
  /** Store the file's token, then remove it from the file. */
  | "migrate"
  /** The same, over an older item. */
  | "migrate-over"
  /** Remove the file's token: the store has it, or a newer one. */
  | "remove-plaintext"
  /** Erase the item: the user has logged out while the store was locked. */
  | "erase-stored";

/** Why the file's token was not moved. */
export type NotMovedReason =
  | Extract<Eligibility, { kind: "not" }>
  | { readonly kind: "notify" }
  | { readonly kind: "never" }
  | { readonly kind: "pinned" };

/** Something for people to read. */
export type GetNotice =
  | { readonly kind: "environment-used"; readonly variable: string }
  /** A file that the environment names holds no token. */
  | {
    readonly kind: "token-file-unusable";
    readonly file: Extract<EnvironmentToken, { kind: "unusable" }>;
    readonly cargoTokenFollows: boolean;
  }
  /** Every user of the machine may read the file of the token. */
  | { readonly kind: "token-file-readable"; readonly path: string }
  | { readonly kind: "conflict" }
  /** The store holds other tokens for the same URL. */
  | { readonly kind: "several-items"; readonly others: readonly string[] }
  | { readonly kind: "wrong-setting"; readonly wrong: WrongSetting }
  | { readonly kind: "stored-empty" }
  | { readonly kind: "stored-unusable" }
  | {
    readonly kind: "not-moved";
    readonly reason: NotMovedReason;
    /** Whether `cargo:token` will read the file's token after us. */
    readonly cargoTokenFollows: boolean;
  }
  | {
    readonly kind: "store-failure";
    readonly failure: StoreFailure;
    readonly cargoTokenFollows: boolean;
    /** Whether the file holds a token for this registry. */
    readonly plaintext: boolean;
  }
  | { readonly kind: "rebound"; readonly rebinding: Rebinding };

/** The next step of a `get`. */
export type GetStep =
  | { readonly need: GetNeed }
  | {
    readonly answer: GetVerdict;
    readonly action?: GetAction;
    readonly notice?: GetNotice;
  };

/**
 * Decides a `get`: the table in `docs/decisions.md`, row by row. It asks for a
 * fact only when the answer depends on it, so that what costs time (the
 * configuration, a dialog) is not looked at where it does not matter.
 *
 * @param facts What is known so far.
 * @returns The answer, or what to find out first.
 */
export function decideGet(facts: GetFacts): GetStep {
  const { environment, settings } = facts;
  if (environment.kind !== "none") {
    return decideFromEnvironment(facts, environment);
  }
  if (settings.kind === "wrong") return decideWrong(facts, settings);
  return decideFromStore({ ...facts, settings });
}

/** No request outlives a wrong policy; any other mistake leaves it to the next provider. */
function decideWrong(facts: GetFacts, wrong: WrongSetting): GetStep {
  const notice: GetNotice = { kind: "wrong-setting", wrong };
  return wrong.system
    ? { answer: "other", notice }
    : refuseRebound(facts) ?? { answer: "url-not-supported", notice };
}

/** What the rest of the table is decided from: the settings are right. */
type StoreFacts = GetFacts & { readonly settings: Settings };

/** Rows 1 to 2b: the environment wins, and the store is not opened. */
function decideFromEnvironment(
  facts: GetFacts,
  environment: Exclude<EnvironmentToken, { kind: "none" }>,
): GetStep {
  // Cargo refuses an empty token before it sends anything.
  if (environment.kind === "empty") return { answer: "not-found" };
  const rebound = refuseRebound(facts);
  if (rebound !== undefined) return rebound;
  if (environment.kind === "token" && environment.file !== undefined) {
    const { path, readableByOthers } = environment.file;
    const answer = "environment-token";
    return readableByOthers
      ? { answer, notice: { kind: "token-file-readable", path } }
      : { answer };
  }
  if (facts.chain === undefined) return { need: "chain" };
  if (environment.kind === "unusable") {
    const { settings, chain: { cargoTokenFollows } } = facts;
    const strict = settings.kind === "settings" &&
      settings.fallback === "strict";
    return {
      answer: cargoTokenFollows && !strict ? "url-not-supported" : "other",
      notice: {
        kind: "token-file-unusable",
        file: environment,
        cargoTokenFollows,
      },
    };
  }
  return facts.chain.cargoTokenListed ? { answer: "environment-token" } : {
    answer: "environment-token",
    notice: { kind: "environment-used", variable: environment.variable },
  };
}

function decideFromStore(facts: StoreFacts): GetStep {
  if (facts.settings.store === "off") return { answer: "url-not-supported" };
  if (facts.store === undefined) return { need: "store-and-file" };
  const outcome = facts.prompted ?? facts.store;
  switch (outcome.kind) {
    case "found":
      if (facts.intent === "logged-out") {
        return decideOver(facts, { action: "erase-stored" });
      }
      if (outcome.token.length === 0) {
        return decideOver(facts, { notice: { kind: "stored-empty" } });
      }
      if (checkToken(outcome.token) !== "valid") return decideUnusable(facts);
      return decideFound(facts, outcome.token, outcome.others);
    case "absent":
      return decideForgotten(facts) ?? decideAbsent(facts);
    case "locked":
      return decideLocked(facts, outcome);
    default:
      return decideFailure(facts, outcome);
  }
}

/** Rows 3 to 5. */
function decideFound(
  facts: StoreFacts,
  stored: Secret,
  others: readonly string[],
): GetStep {
  const { plaintext } = facts;
  const answer: GetStep = others.length === 0 ? { answer: "stored-token" } : {
    answer: "stored-token",
    notice: { kind: "several-items", others },
  };
  if (plaintext === undefined || plaintext === "none") return answer;
  if (facts.rebinding === undefined) return { need: "rebinding" };
  // The file's token belongs to the name's other URL.
  if (facts.rebinding !== "none") return answer;

  const same = stored.equals(plaintext);
  if (!same && facts.intent === "login-went-to-file") {
    return ifMayMove(
      facts,
      { answer: "file-token", action: "migrate-over" },
      { answer: "file-token" },
    );
  }
  // Until the store has written T to disk, P is what outlives a crash.
  if (same && facts.settling === true) return answer;
  if (same || facts.intent === "login-stored") {
    return ifMayMove(
      facts,
      { ...answer, action: "remove-plaintext" },
      answer,
    );
  }
  return { answer: "stored-token", notice: { kind: "conflict" } };
}

/** Row 7, unless a newer token went to the file. */
function decideUnusable(facts: StoreFacts): GetStep {
  if (facts.intent === "login-went-to-file" && hasPlaintext(facts)) {
    return decideOver(facts, {});
  }
  return refuseLeak(facts) ??
    { answer: "not-found", notice: { kind: "stored-unusable" } };
}

/** Rows 8 to 10. */
function decideAbsent(facts: StoreFacts): GetStep {
  if (!hasPlaintext(facts)) return { answer: "not-found" };
  const rebound = refuseRebound(facts);
  if (rebound !== undefined) return rebound;
  return ifMayMove(
    facts,
    { answer: "file-token", action: "migrate" },
    undefined,
  );
}

/** A logout with nothing left to erase: it must not befall a later item. */
function decideForgotten(facts: StoreFacts): GetStep | undefined {
  if (facts.intent !== "logged-out") return undefined;
  const step = decideAbsent(facts);
  return "need" in step ? step : { action: "erase-stored", ...step };
}

/** An item that counts as absent (rows 6 and 8 to 10): it may be written over. */
function decideOver(
  facts: StoreFacts,
  otherwise: { readonly action?: GetAction; readonly notice?: GetNotice },
): GetStep {
  const step = decideAbsent(facts);
  if ("need" in step) return step;
  return step.action === "migrate"
    ? { ...step, action: "migrate-over" }
    : { ...otherwise, ...step };
}

/** Rows 11 and 12. */
function decideLocked(facts: StoreFacts, failure: StoreFailure): GetStep {
  const mayHoldIt = failure.item !== "none";
  const plaintext = hasPlaintext(facts);
  const worthAsking = failure.item === "visible" || (mayHoldIt && !plaintext);
  if (worthAsking && facts.prompted === undefined) {
    if (facts.mayPrompt === undefined) return { need: "person" };
    if (facts.mayPrompt) return { need: "prompt" };
  }
  if (!mayHoldIt && !plaintext) return { answer: "not-found" };
  return decideFailure(facts, failure);
}

/** Rows 12 and 13: the chain moves on, or ends in words of its own. */
function decideFailure(facts: StoreFacts, failure: StoreFailure): GetStep {
  const rebound = refuseLeak(facts);
  if (rebound !== undefined) return rebound;
  if (facts.chain === undefined) return { need: "chain" };
  const { cargoTokenFollows } = facts.chain;
  const notice: GetNotice = {
    kind: "store-failure",
    failure,
    cargoTokenFollows,
    plaintext: hasPlaintext(facts),
  };
  return cargoTokenFollows && facts.settings.fallback !== "strict"
    ? { answer: "url-not-supported", notice }
    : { answer: "other", notice };
}

function hasPlaintext(facts: GetFacts): boolean {
  return facts.plaintext !== undefined && facts.plaintext !== "none";
}

/** An error that keeps `cargo:token` from sending a token to the checkout's URL. */
function refuseRebound(facts: GetFacts): GetStep | undefined {
  if (facts.rebinding === undefined) return { need: "rebinding" };
  return facts.rebinding === "none" ? undefined : {
    answer: "other",
    notice: { kind: "rebound", rebinding: facts.rebinding },
  };
}

/** The same, where there may be no plaintext token to send. */
function refuseLeak(facts: GetFacts): GetStep | undefined {
  return hasPlaintext(facts) ? refuseRebound(facts) : undefined;
}

/**
 * One step where the file may be touched, another where it may not. Without a
 * second one it is row 10, which says why.
 */
function ifMayMove(
  facts: StoreFacts,
  move: GetStep,
  stay: GetStep | undefined,
): GetStep {
  if (facts.settings.migrate === "auto" && facts.pinned !== true) {
    if (facts.eligibility === undefined) return { need: "eligibility" };
    if (facts.eligibility.kind === "eligible") return move;
  }
  return stay ?? decideNotMoved(facts);
}

/** Row 10. */
function decideNotMoved(facts: StoreFacts): GetStep {
  if (facts.chain === undefined) return { need: "chain" };
  return {
    answer: facts.settings.fallback === "strict" ? "other" : "not-found",
    notice: {
      kind: "not-moved",
      reason: notMovedReason(facts),
      cargoTokenFollows: facts.chain.cargoTokenFollows,
    },
  };
}

function notMovedReason(facts: StoreFacts): NotMovedReason {
  if (facts.settings.migrate !== "auto") {
    return { kind: facts.settings.migrate };
  }
  return facts.eligibility?.kind === "not"
    ? facts.eligibility
    : { kind: "pinned" };
}
