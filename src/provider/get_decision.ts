import type { CargoTokenPlace } from "../cargo/provider_chain.ts";
import type { EnvironmentToken } from "../cargo/environment_token.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import { checkToken } from "../cargo/token.ts";
import type { Secret } from "../base/secret.ts";
import type { Eligibility } from "../tokens/eligibility.ts";
import type { Settings, WrongSetting } from "../settings/settings.ts";
import type {
  GetOutcome,
  Keeping,
  StoreFailure,
} from "../stores/credential_store.ts";

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
  /** P: the plaintext token of this registry's name; `none` if there is none. */
  readonly plaintext?: Secret | "none";
  /** Whether the user has put P where it is. */
  readonly pinned?: boolean;
  /** Whether a login or `--prefer` has put P out of use. */
  readonly superseded?: boolean;
  /** Index URLs that the store has a token of this name under. */
  readonly elsewhere?: readonly string[];
  /** Whether a project binds this name to a URL that the user does not. */
  readonly rebinding?: Rebinding | "none";
  /** Whether `cargo:token` would have a token to send to this URL. */
  readonly sendable?: boolean;
  /** Whether P may leave the file. */
  readonly eligibility?: Eligibility;
  readonly chain?: CargoTokenPlace;
}

/** What has to be looked at before the decision can go on. */
export type GetNeed =
  /** The store, the credentials file and the pin, all at once. */
  | "store-and-file"
  /** Whether a dialog may open. */
  | "person"
  | "prompt"
  | "superseded"
  | "elsewhere"
  | "rebinding"
  | "sendable"
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
  /** Store P where it lasts, then remove it from the file. */
  | "move"
  /** Remove P: the store has the same. */
  | "remove"
  /** Remove P: the store has the one that has replaced it. */
  | "remove-superseded";

/** Why P was not moved. */
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
  /** Two tokens, and nobody knows which one is meant. */
  | { readonly kind: "conflict" }
  | { readonly kind: "superseded-left" }
  /** The store holds other tokens for the same URL. */
  | { readonly kind: "several-items"; readonly others: readonly string[] }
  | { readonly kind: "wrong-setting"; readonly wrong: WrongSetting }
  | { readonly kind: "stored-unusable"; readonly empty: boolean }
  | { readonly kind: "stored-elsewhere"; readonly urls: readonly string[] }
  | { readonly kind: "not-moved"; readonly reason: NotMovedReason }
  | { readonly kind: "store-failure"; readonly failure: StoreFailure }
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
    : passOn(facts, { answer: "url-not-supported", notice });
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
  if (facts.settings.store === "off") {
    return passOn(facts, { answer: "url-not-supported" });
  }
  if (facts.store === undefined) return { need: "store-and-file" };
  const outcome = facts.prompted ?? facts.store;
  switch (outcome.kind) {
    case "found":
      return checkToken(outcome.token) === "valid"
        ? decideFound(facts, outcome)
        : decideUnusable(facts, outcome.token.length === 0);
    case "absent":
      return decideAbsent(facts);
    case "locked":
      return decideLocked(facts, outcome);
    default:
      return decideFailure(facts, outcome);
  }
}

/** Rows 3 to 6. */
function decideFound(
  facts: StoreFacts,
  stored: Extract<GetOutcome, { kind: "found" }>,
): GetStep {
  const { plaintext } = facts;
  const { others, token } = stored;
  const answer: GetStep = others.length === 0 ? { answer: "stored-token" } : {
    answer: "stored-token",
    notice: { kind: "several-items", others },
  };
  if (
    plaintext === undefined || plaintext === "none" ||
    checkToken(plaintext) !== "valid"
  ) return answer;
  if (facts.rebinding === undefined) return { need: "rebinding" };
  // P belongs to the name's other URL.
  if (facts.rebinding !== "none") return answer;

  if (token.equals(plaintext)) {
    const action = ACTION_ON_EQUAL[stored.keeps];
    return action === "none"
      ? answer
      : ifMayMove(facts, { ...answer, action }, () => answer);
  }
  // Whatever is remembered, the user has put a pinned P there since.
  if (facts.pinned !== true) {
    if (facts.superseded === undefined) return { need: "superseded" };
    if (facts.superseded) {
      const notice: GetNotice = { kind: "superseded-left" };
      return ifMayMove(
        facts,
        { ...answer, action: "remove-superseded" },
        () => ({ answer: "stored-token", notice }),
      );
    }
  }
  return {
    answer: facts.settings.fallback === "strict" ? "other" : "file-token",
    notice: { kind: "conflict" },
  };
}

/** Row 4: until the store has T where it lasts, P is what outlives a crash. */
const ACTION_ON_EQUAL: Readonly<Record<Keeping, GetAction | "none">> = {
  "on-disk": "remove",
  "not-yet-on-disk": "none",
  "in-memory": "move",
};

/** Row 7: as if it were absent, but it is not written over. */
function decideUnusable(facts: StoreFacts, empty: boolean): GetStep {
  const step = decideAbsent({ ...facts, elsewhere: [] });
  if ("need" in step || step.notice?.kind === "rebound") return step;
  return { answer: step.answer, notice: { kind: "stored-unusable", empty } };
}

/** Rows 8 to 10. */
function decideAbsent(facts: StoreFacts): GetStep {
  if (!hasPlaintext(facts)) {
    const answer = passOn(facts, { answer: "not-found" });
    if ("need" in answer || answer.answer === "other") return answer;
    if (facts.elsewhere === undefined) return { need: "elsewhere" };
    const urls = facts.elsewhere;
    if (urls.length === 0) return answer;
    return { ...answer, notice: { kind: "stored-elsewhere", urls } };
  }
  return refuseRebound(facts) ??
    ifMayMove(
      facts,
      { answer: "file-token", action: "move" },
      () => decideNotMoved(facts),
    );
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
  if (!mayHoldIt && !plaintext) {
    return passOn(facts, { answer: "not-found" });
  }
  return decideFailure(facts, failure);
}

/** Rows 12 and 13: the chain moves on, or ends in words of its own. */
function decideFailure(facts: StoreFacts, failure: StoreFailure): GetStep {
  if (facts.chain === undefined) return { need: "chain" };
  const notice: GetNotice = { kind: "store-failure", failure };
  return passOn(
    facts,
    facts.chain.cargoTokenFollows && facts.settings.fallback !== "strict"
      ? { answer: "url-not-supported", notice }
      : { answer: "other", notice },
  );
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

/** An answer after which `cargo:token` is asked: not if it would leak. */
function passOn(facts: GetFacts, answer: GetStep): GetStep {
  const rebound = refuseRebound(facts);
  if (rebound === undefined || "need" in rebound) return rebound ?? answer;
  if (facts.sendable === undefined) return { need: "sendable" };
  return facts.sendable ? rebound : answer;
}

/** One step where the file may be touched, another where it may not. */
function ifMayMove(
  facts: StoreFacts,
  move: GetStep,
  stay: () => GetStep,
): GetStep {
  if (facts.settings.migrate === "auto" && facts.pinned !== true) {
    if (facts.eligibility === undefined) return { need: "eligibility" };
    if (facts.eligibility.kind === "eligible") return move;
  }
  return stay();
}

/** Row 10. */
function decideNotMoved(facts: StoreFacts): GetStep {
  return {
    answer: facts.settings.fallback === "strict" ? "other" : "not-found",
    notice: { kind: "not-moved", reason: notMovedReason(facts) },
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
