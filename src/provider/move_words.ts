import { describeStoreFailure } from "../stores/credential_store.ts";
import type { MoveOutcome, RemovalOutcome } from "../tokens/move.ts";
import type { RegistryAbout } from "../tokens/about.ts";
import { describeObstacle } from "../tokens/words.ts";
import type { NoticeText } from "./notices.ts";
import { statusLine } from "./status_line.ts";

/**
 * What is said when a token has left the file: what, from where to where, who
 * may miss it there, how to undo it, and what a move does not undo.
 */
export function describeMoved(about: RegistryAbout): readonly string[] {
  return [
    statusLine(
      "Moved",
      `the token of ${about.title} from ${about.filePath} ` +
        `to ${about.storeTitle}`,
    ),
    "note: Other programs that read that file (older toolchains, " +
    "cargo-binstall, containers with it mounted) do not find the token any " +
    `more; \`${about.restoreCommand}\` puts it back.`,
    "    Backups and copies of the file may still hold it: to be sure, revoke " +
    `it at ${about.revokeAt} and log in again.`,
  ];
}

/** What is said of a token that was to leave the file and did not. */
export function describeMoveFailure(
  outcome: Extract<MoveOutcome, { kind: "stored" | "not-stored" | "no-file" }>,
  about: RegistryAbout,
): NoticeText {
  const left = `the token of ${about.title} stays in plaintext in ` +
    about.filePath;
  switch (outcome.kind) {
    case "stored": {
      const isLater = outcome.why.kind === "not-yet-on-disk" ||
        outcome.why.kind === "in-memory";
      return {
        level: isLater ? "note" : "warning",
        text: `the token of ${about.title} was stored in ` +
          `${about.storeTitle}, and is still in plaintext in ` +
          `${about.filePath}: ${describeObstacle(outcome.why)}` +
          (isLater ? "; a later cargo command that needs it removes it" : ""),
        frequency: isLater ? "each" : "daily",
        topic: isLater ? "move/not-yet-on-disk" : "move/not-edited",
      };
    }
    case "not-stored":
      return {
        level: "warning",
        text: `${left}: ${describeStoreFailure(outcome.failure)}`,
        frequency: "daily",
        topic: `move/${outcome.failure.cause}`,
      };
    case "no-file":
      return {
        level: "warning",
        text: `${left}: ${describeObstacle(outcome.why)}`,
        frequency: "daily",
        topic: "move/no-file",
      };
  }
}

/** What is said when the file's copy of a stored token was removed, or not. */
export function describeRemoval(
  outcome: RemovalOutcome,
  superseded: boolean,
  about: RegistryAbout,
): NoticeText | undefined {
  switch (outcome.kind) {
    case "none":
      return undefined;
    case "removed":
      return {
        level: "note",
        text: superseded
          ? `an older plaintext token of ${about.title} was removed from ` +
            `${about.filePath}: a login has replaced it, and ` +
            `${about.storeTitle} has the new one`
          : `the plaintext token of ${about.title} was removed from ` +
            `${about.filePath}: ${about.storeTitle} has it. ` +
            `\`${about.restoreCommand}\` puts it back`,
        frequency: "each",
        topic: "removal/removed",
      };
    case "left":
      return {
        level: "warning",
        text: `${about.storeTitle} has the token of ${about.title}, and ` +
          `${superseded ? "an older one" : "the same"} is still in plaintext ` +
          `in ${about.filePath}: ${describeObstacle(outcome.why)}`,
        frequency: "daily",
        topic: "removal/left",
      };
  }
}
