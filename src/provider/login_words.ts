import type { Rebinding } from "../cargo/rebinding.ts";
import type { TokenValidity } from "../cargo/token.ts";
import type { RemovalOutcome } from "../migration/move.ts";
import type { StoreFailure } from "../stores/credential_store.ts";
import type { PromptOutcome } from "../terminal/terminal.ts";
import { printable } from "../base/printable.ts";
import { describeRebinding, type RegistryAbout } from "./registry_about.ts";
import { statusLine } from "./status_line.ts";

/** Why nothing is stored, as far as it is worded. */
export type LoginRefusal =
  | { readonly failure: StoreFailure; readonly fileAllowed: boolean }
  | { readonly rebinding: Rebinding };

/**
 * Why `login` stores nothing.
 *
 * @param refusal The decision.
 * @param about The registry and the store.
 * @returns The message of the error.
 */
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
  return `the token was not stored: ${printable(failure.reason)}. ` +
    `${printable(failure.remedy)}${onPurpose}`;
}

/**
 * What is said before a token is asked for that a project's URL will get.
 *
 * @param rebinding Who has taken the name.
 * @returns The line.
 */
export function describeTakenName(rebinding: Rebinding): string {
  return `warning: ${describeRebinding(rebinding)}; the token will be stored ` +
    "for the project's URL, and sent there";
}

/**
 * What is said before another provider takes the login over.
 *
 * @param failure Why the store does not.
 * @param cargoTokenFollows Whether `cargo:token` is that provider.
 * @param about The registry and the store.
 * @returns The line.
 */
export function describePlaintextWarning(
  failure: StoreFailure,
  cargoTokenFollows: boolean,
  about: RegistryAbout,
): string {
  const consequence = cargoTokenFollows
    ? `\`cargo:token\` will keep the token of ${about.title} in PLAINTEXT ` +
      `in ${about.filePath}`
    : `no provider after this one keeps the token of ${about.title}`;
  return `warning: ${printable(failure.reason)}; ${consequence}. ` +
    printable(failure.remedy);
}

/**
 * Why there is no token to store. What was typed is not repeated.
 *
 * @param reason What was wrong.
 * @returns The message of the error.
 */
export function describeTokenRefusal(
  reason:
    | Exclude<PromptOutcome["kind"], "line">
    | Exclude<TokenValidity, "valid">
    | "file-busy"
    | "no-memory",
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
    case "no-memory":
      return "an earlier logout or login is still to be carried out, and what " +
        "is remembered of it cannot be changed; make cargo's home writable";
    case "interrupted":
      return "the question was interrupted; nothing was stored";
    case "timeout":
      return "no token was given in time; nothing was stored";
    case "invalid":
      return "the token contains invalid characters: " +
        "only printable ISO-8859-1 characters are allowed as it is sent in a HTTPS header";
  }
}

/**
 * The question for a token.
 *
 * @param about The registry.
 * @param loginUrl Where the registry hands out tokens.
 * @returns The text in front of the cursor.
 */
export function tokenQuestion(
  about: RegistryAbout,
  loginUrl: string | undefined,
): string {
  const source = loginUrl === undefined
    ? `for ${about.title}`
    : `for ${about.title} found on ${printable(loginUrl)}`;
  return `please paste the token ${source} (it is not shown): `;
}

/**
 * What `login` says once the token is stored.
 *
 * @param removal What became of the plaintext token.
 * @param about The registry, the store and the file.
 * @returns The lines.
 */
export function describeStored(
  removal: RemovalOutcome,
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
        `${about.title}: ${printable(removal.reason)}`,
      ];
  }
}
