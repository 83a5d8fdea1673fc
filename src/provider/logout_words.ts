import type { LogoutFacts } from "./logout_decision.ts";
import {
  describeStoreFailure,
  type EraseOutcome,
} from "../stores/credential_store.ts";
import type { RegistryAbout } from "../tokens/about.ts";
import { describeObstacle } from "../tokens/words.ts";
import { statusLine } from "./status_line.ts";

type Outcomes = Pick<LogoutFacts, "erased" | "plaintext">;

/**
 * What `logout` says when the token is gone: a line for each place, and that
 * the registry still knows the token.
 */
export function describeLoggedOut(
  outcomes: Outcomes,
  about: RegistryAbout,
): readonly string[] {
  const { erased, plaintext } = outcomes;
  const lines: string[] = [];
  const removedFrom = (place: string): void => {
    lines.push(
      statusLine(
        "Logout",
        `token for ${about.title} has been removed from ${place}`,
      ),
    );
  };
  if (erased.kind === "erased") removedFrom(about.storeTitle);
  if (plaintext.kind === "removed") removedFrom(about.filePath);
  lines.push(
    ...describeNotAsked(erased, about),
    "note: This does not revoke the token on the registry server.",
    "    If you need to revoke the token, visit " +
      `${about.revokeAt} and follow the instructions there.`,
  );
  if (plaintext.kind === "left") {
    lines.push(
      `warning: ${about.filePath} still holds a plaintext token for ` +
        `${about.title}: ${describeObstacle(plaintext.why)}`,
    );
  }
  if (erased.kind === "erased" && erased.remaining.length > 0) {
    lines.push(
      `warning: ${about.storeTitle} still holds, locked: ` +
        erased.remaining.join(", "),
    );
  }
  return lines;
}

/** Why `logout` has not done all of it. */
export function describeNotLoggedOut(
  outcomes: Outcomes,
  about: RegistryAbout,
): string {
  const { erased, plaintext } = outcomes;
  const sentences: string[] = [];
  if (erased.kind === "erased") {
    sentences.push(
      `the token of ${about.title} was erased from ${about.storeTitle}`,
    );
  }
  if (plaintext.kind === "removed") {
    sentences.push(
      `the token of ${about.title} was removed from ${about.filePath}`,
    );
  } else if (plaintext.kind === "busy") {
    sentences.push(
      `another program is writing ${about.filePath}, and may be moving a ` +
        "token; log out again",
    );
  } else if (plaintext.kind === "left") {
    sentences.push(
      `${about.filePath} still holds a plaintext token for ${about.title}: ` +
        describeObstacle(plaintext.why),
    );
  }
  if ("reason" in erased) {
    sentences.push(
      `${about.storeTitle} may still hold the token of ${about.title}: ` +
        `${describeStoreFailure(erased)}`,
    );
  }
  return sentences.join("; ");
}

/** Names the tokens that a command does not touch. */
export function describeLeftovers(
  places: readonly string[],
  command: "login" | "logout",
): readonly string[] {
  return places.map((place) =>
    `warning: a token for this registry is also in ${place}, ` +
    `which ${command} does not touch`
  );
}

/** What is said where the store could not be asked. */
export function describeNotAsked(
  erased: EraseOutcome,
  about: RegistryAbout,
): readonly string[] {
  return "reason" in erased
    ? [
      `warning: ${about.storeTitle} could not be asked and may still hold a ` +
      `token: ${describeStoreFailure(erased)}`,
    ]
    : [];
}
