import type { CargoTokenPlace } from "../cargo/provider_chain.ts";
import type { Rebinding } from "../cargo/rebinding.ts";
import type { Settings } from "../settings/settings.ts";
import {
  isOutOfReach,
  type PrepareOutcome,
  type StoreFailure,
} from "../stores/credential_store.ts";
import { type Durability, durabilityOf } from "../tokens/eligibility.ts";

/** What is known when a `login` decides where the token goes. */
export interface LoginFacts {
  readonly settings: Settings;
  /** What the store answered without a dialog. */
  readonly prepared: PrepareOutcome;
  /** What it answered with one. */
  readonly prompted?: PrepareOutcome;
  /** Whether a dialog may open: somebody is there, or `prompt = "always"`. */
  readonly mayPrompt?: boolean;
  readonly chain?: CargoTokenPlace;
  /** Whether a project binds this name to a URL that the user does not. */
  readonly rebinding?: Rebinding | "none";
}

/** The next step of a `login`. */
export type LoginStep =
  | { readonly need: "person" | "prompt" | "chain" | "rebinding" }
  /** Ask for the token, and store it. */
  | {
    readonly place: "store";
    /** How the store will keep it. */
    readonly keeps: Durability;
  }
  /** Leave it to the next provider, after the warning about plaintext. */
  | {
    readonly place: "next-provider";
    readonly failure: StoreFailure;
    readonly cargoTokenFollows: boolean;
  }
  /** Nothing is stored anywhere. */
  | {
    readonly place: "nowhere";
    readonly failure: StoreFailure;
    /** Whether a command that uses the file on purpose may be named. */
    readonly fileAllowed: boolean;
  }
  | { readonly place: "nowhere"; readonly rebinding: Rebinding };

/** Decides where `login` puts the token, before anybody is asked for it. */
export function decideLogin(facts: LoginFacts): LoginStep {
  const outcome = facts.prompted ?? facts.prepared;
  if (outcome.kind === "ready") {
    return { place: "store", keeps: durabilityOf(outcome) };
  }
  if (isOutOfReach(outcome)) return fallBack(facts, outcome);
  if (facts.mayPrompt === undefined) return { need: "person" };
  if (outcome.kind === "denied") return refuse(facts, outcome);
  if (!facts.mayPrompt) return fallBack(facts, outcome);
  return outcome.kind === "locked" && facts.prompted === undefined
    ? { need: "prompt" }
    : refuse(facts, outcome);
}

function refuse(facts: LoginFacts, failure: StoreFailure): LoginStep {
  const fileAllowed = facts.settings.fallback === "file";
  return { place: "nowhere", failure, fileAllowed };
}

function fallBack(facts: LoginFacts, failure: StoreFailure): LoginStep {
  if (facts.settings.fallback !== "file") return refuse(facts, failure);
  if (facts.rebinding === undefined) return { need: "rebinding" };
  // `cargo:token` files by name: it would write over the user's own token.
  if (facts.rebinding !== "none") {
    return { place: "nowhere", rebinding: facts.rebinding };
  }
  if (facts.chain === undefined) return { need: "chain" };
  const { cargoTokenFollows } = facts.chain;
  return { place: "next-provider", failure, cargoTokenFollows };
}
