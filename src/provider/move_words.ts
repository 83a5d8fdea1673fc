import type { MoveOutcome, RemovalOutcome } from "../migration/move.ts";
import type { NoticeText } from "./notices.ts";
import { printable } from "../base/printable.ts";
import type { RegistryAbout } from "./registry_about.ts";
import { statusLine } from "./status_line.ts";

/**
 * What is said when a token has left the file: what, from where to where, who
 * may miss it there, how to undo it, and what a move cannot mend.
 *
 * @param about The registry, the store and the file.
 * @returns The lines, as one text.
 */
export function describeMoved(about: RegistryAbout): string {
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
  ].join("\n");
}

/**
 * What is said when a store has a token that it writes to disk later.
 *
 * @param milliseconds How long that may take.
 * @param about The registry, the store and the file.
 * @returns The notice.
 */
export function describeSettling(
  milliseconds: number,
  about: RegistryAbout,
): NoticeText {
  return {
    level: "note",
    text: `the token of ${about.title} was stored in ${about.storeTitle}, ` +
      "which writes it to disk later: its plaintext copy in " +
      `${about.filePath} is removed by the first cargo command that needs ` +
      `it after ${Math.ceil(milliseconds / 1000)} s`,
    frequency: "each",
    topic: "move/settling",
  };
}

/**
 * What is said of a token that was to leave the file and did not.
 *
 * @param outcome What came of it.
 * @param about The registry, the store and the file.
 * @returns The notice; `undefined` where it goes without saying that the next
 * command tries again.
 */
export function describeNotMoved(
  outcome: Extract<MoveOutcome, { kind: "stored" | "not-stored" | "no-file" }>,
  about: RegistryAbout,
): NoticeText {
  const left = `the token of ${about.title} stays in plaintext in ` +
    about.filePath;
  switch (outcome.kind) {
    case "stored":
      return {
        level: "warning",
        text: `the token of ${about.title} was stored in ` +
          `${about.storeTitle}, and is still in plaintext in ` +
          `${about.filePath}: ` +
          printable(outcome.reason ?? "it is kept there"),
        frequency: "daily",
        topic: "move/stored",
      };
    case "not-stored":
      return {
        level: "warning",
        text: `${left}: ${printable(outcome.failure.reason)}. ` +
          printable(outcome.failure.remedy),
        frequency: "daily",
        topic: `move/${outcome.failure.cause}`,
      };
    case "no-file":
      return {
        level: "warning",
        text: `${left}: ${printable(outcome.reason)}`,
        frequency: "daily",
        topic: "move/no-file",
      };
  }
}

/**
 * What is said when the file's copy of a stored token was removed, or was not.
 *
 * @param outcome What came of it.
 * @param about The registry, the store and the file.
 * @returns The notice; `undefined` if there was nothing to remove.
 */
export function describeRemoval(
  outcome: RemovalOutcome,
  about: RegistryAbout,
): NoticeText | undefined {
  switch (outcome.kind) {
    case "none":
      return undefined;
    case "removed":
      return {
        level: "note",
        text: `the plaintext token of ${about.title} was removed from ` +
          `${about.filePath}: ${about.storeTitle} has it. ` +
          `\`${about.restoreCommand}\` puts it back`,
        frequency: "each",
        topic: "removal/removed",
      };
    case "left":
      return {
        level: "warning",
        text: `${about.storeTitle} has the token of ${about.title}, which is ` +
          `still in plaintext in ${about.filePath}: ` +
          printable(outcome.reason),
        frequency: "daily",
        topic: "removal/left",
      };
  }
}
