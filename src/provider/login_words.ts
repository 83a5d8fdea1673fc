import type { Rebinding } from "../cargo/rebinding.ts";
import type { TokenValidity } from "../cargo/token.ts";
import { describeOrigin, type TokenOrigin } from "../cargo/token_origin.ts";
import type { Durability, Ineligible } from "../tokens/eligibility.ts";
import type { MoveOutcome, RemovalOutcome } from "../tokens/move.ts";
import {
  describeStoreFailure,
  type StoreFailure,
} from "../stores/credential_store.ts";
import type { PromptOutcome } from "../terminal/terminal.ts";
import { SCOPES } from "../tokens/scoped.ts";
import { type ArgumentFault, MAX_DAYS } from "./login_arguments.ts";
import { describeMoveFailure } from "./move_words.ts";
import { describeRebinding, type RegistryAbout } from "../tokens/about.ts";
import { describeObstacle } from "../tokens/words.ts";
import { statusLine } from "./status_line.ts";

/** Why nothing is stored, as far as it is worded. */
export type LoginRefusal =
  | { readonly failure: StoreFailure; readonly fileAllowed: boolean }
  | { readonly rebinding: Rebinding };

/** Why `login` stores nothing. */
export function describeLoginRefusal(
  refusal: LoginRefusal,
  about: RegistryAbout,
): string {
  if ("rebinding" in refusal) {
    return `the token cannot go to ${about.storeTitle}, and in a file it ` +
      `would replace your own: ${describeRebinding(refusal.rebinding)}`;
  }
  const { failure, fileAllowed } = refusal;
  const onPurpose = fileAllowed
    ? " To keep the token in plaintext on purpose: " +
      `\`CARGO_CREDENTIAL_KEYRING_STORE=off ${about.loginCommand}\`.`
    : "";
  return `the token was not stored: ${
    describeStoreFailure(failure)
  }${onPurpose}`;
}

/** What is said before a token is asked for that a project's URL will get. */
export function describeTakenName(rebinding: Rebinding): string {
  return `warning: ${describeRebinding(rebinding)}; the token will be stored ` +
    "for the project's URL, and sent there";
}

/** What is said before another provider takes the login over. */
export function describePlaintextWarning(
  failure: StoreFailure,
  cargoTokenFollows: boolean,
  about: RegistryAbout,
): string {
  const consequence = cargoTokenFollows
    ? `\`cargo:token\` will keep the token of ${about.title} in PLAINTEXT ` +
      `in ${about.filePath}`
    : `no provider after this one keeps the token of ${about.title}`;
  return `warning: ${failure.reason}; ${consequence}. ` +
    failure.remedy;
}

/** Why there is no token to store. What was typed is not repeated. */
export function describeTokenRefusal(
  reason:
    | Exclude<PromptOutcome["kind"], "line">
    | Exclude<TokenValidity, "valid">
    | "arguments"
    | "file-busy",
): string {
  switch (reason) {
    case "no-terminal":
      return "there is no token, and no terminal to ask for one; " +
        "give it on standard input: `cargo login < FILE`";
    case "end-of-input":
    case "empty":
      return "please provide a non-empty token";
    case "file-busy":
      return "another program is writing cargo's credentials file, and may be " +
        "moving an older token; nothing was stored, try again";
    case "arguments":
      return "`--migrate-to-keyring` moves the token that the file has, and " +
        "takes no other beside it; one is given on standard input without " +
        "that: `cargo login < FILE`";
    case "interrupted":
      return "the question was interrupted; nothing was stored";
    case "timeout":
      return "no token was given in time; nothing was stored";
    case "invalid":
      return "the token contains invalid characters: " +
        "only printable ISO-8859-1 characters are allowed as it is sent in a HTTPS header";
  }
}

/** What `cargo login --` takes. What was typed is not repeated. */
export function describeWrongArguments(fault: ArgumentFault): string {
  switch (fault) {
    case "usage":
      return "`cargo login --` takes `--migrate-to-keyring`, or " +
        "`--scope SCOPE,…`, `--crate PATTERN` and `--expires DATE|DAYS`; a " +
        "token is given on standard input: `cargo login < FILE`";
    case "trusted-publishing":
      return "a token for `trusted-publishing` configures publishing from CI " +
        "on the website and its API; cargo never asks for one";
    case "scope":
      return `the scopes are ${SCOPES.join(", ")}`;
    case "crate":
      return "`--crate` takes the name of a crate, or its beginning and `*`";
    case "expires":
      return "`--expires` takes a day to come, such as 2027-02-01, or a " +
        `number of days up to ${MAX_DAYS}`;
  }
}

/** The question for a token. */
export function tokenQuestion(
  about: RegistryAbout,
  loginUrl: string | undefined,
): string {
  const source = loginUrl === undefined
    ? `for ${about.title}`
    : `for ${about.title} found on ${loginUrl}`;
  return `please paste the token ${source} (it is not shown): `;
}

/** What kind of place the token goes to, if it is none to be expected. */
export function describeKeeping(
  keeps: Durability,
  about: RegistryAbout,
): readonly string[] {
  switch (keeps) {
    case "durably":
      return [];
    case "for-the-session":
      return [
        `warning: ${about.storeTitle} keeps the token in memory alone: it is ` +
        "gone when the session ends, or at the next boot",
      ];
    case "in-plaintext":
      return [
        `warning: the default keyring of ${about.storeTitle} has no password: ` +
        "it is a PLAINTEXT file, and the token can be read there. Give it a " +
        "password, for instance with Seahorse",
      ];
  }
}

/** What is said of a token that may be a mistake. It is not repeated. */
export function describeOddToken(
  origin: TokenOrigin,
  about: RegistryAbout,
): string {
  return `warning: what was given for ${about.title} ` +
    `${describeOrigin(origin)}; if that is a mistake: ` +
    `\`${about.loginCommand}\` replaces it`;
}

/** What `login` says once the token is stored. */
export function describeStored(
  removal: RemovalOutcome,
  remembered: boolean,
  about: RegistryAbout,
): readonly string[] {
  const stored = statusLine(
    "Login",
    `token for ${about.title} stored in ${about.storeTitle}`,
  );
  switch (removal.kind) {
    case "removed":
      return [
        stored,
        statusLine(
          "Removed",
          `the older plaintext token from ${about.filePath}`,
        ),
      ];
    case "none":
      return [stored];
    case "left":
      return [
        stored,
        `warning: ${about.filePath} still holds a plaintext token for ` +
        `${about.title}: ${describeObstacle(removal.why)}` +
        (remembered ? "" : ". It will be used instead of the new one, since " +
          "it cannot be remembered that it is the older one"),
      ];
  }
}

/** Why `cargo login -- --migrate-to-keyring` has not moved the token. */
export function describeNotMigrated(
  outcome:
    | "none"
    | Ineligible
    | Exclude<MoveOutcome, { kind: "moved" }>,
  about: RegistryAbout,
): string {
  if (outcome === "none") {
    return `${about.filePath} holds no token for ${about.title}`;
  }
  switch (outcome.kind) {
    case "not":
      return `the token of ${about.title} was not moved: ` +
        describeObstacle(outcome);
    case "busy":
      return `another program is writing ${about.filePath}; try again`;
    case "file-changed":
      return `another program has just changed ${about.filePath}; try again`;
    case "store-changed":
      return `${about.storeTitle} holds another token for ${about.title}: ` +
        `\`${about.migrateCommand} --prefer file\` or \`--prefer store\` says ` +
        "which one to keep";
    default:
      return describeMoveFailure(outcome, about).text;
  }
}
