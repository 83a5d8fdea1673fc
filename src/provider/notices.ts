import type { GetNotice, NotMovedReason } from "./get_decision.ts";
import { printable } from "../base/printable.ts";
import { describeRebinding, type RegistryAbout } from "./registry_about.ts";

/** How often a notice is given (see `src/migration/state.ts`). */
export type NoticeFrequency = "each" | "daily" | "once" | "never";

/** A notice as people read it. */
export interface NoticeText {
  readonly level: "note" | "warning";
  /** One line, without the level. */
  readonly text: string;
  readonly frequency: NoticeFrequency;
  /** What it is about, so that the same thing is not said too often. */
  readonly topic: string;
}

/**
 * The sentence for a notice of `get`: the only place where it is worded.
 *
 * @param notice What there is to say.
 * @param about The registry, the store and the file that it is about.
 * @returns The line, and how often to say it.
 */
export function describeGetNotice(
  notice: GetNotice,
  about: RegistryAbout,
): NoticeText {
  switch (notice.kind) {
    case "environment-used":
      return {
        level: "note",
        text: `the token of ${about.title} comes from the environment ` +
          `variable \`${
            printable(notice.variable)
          }\`; cargo says that it is ignored, ` +
          "since `cargo:token` is not among its providers, but it is used",
        frequency: "each",
        topic: notice.kind,
      };
    case "token-file-unusable": {
      const { variable, path, reason } = notice.file;
      const consequence = notice.cargoTokenFollows
        ? "the next provider is asked"
        : "no other token is used instead";
      return {
        level: "warning",
        text:
          `the token of ${about.title} cannot be read: \`${
            printable(variable)
          }\` leads to ${printable(path)}, which ${reason}; ${consequence}. ` +
          "The file is to hold the token and nothing else",
        frequency: "each",
        topic: notice.kind,
      };
    }
    case "token-file-readable":
      return {
        level: "note",
        text: `every user of this machine may read the token of ` +
          `${about.title} in ${
            printable(notice.path)
          }; mode 0400 keeps it to ` +
          "its owner",
        frequency: "once",
        topic: notice.kind,
      };
    case "conflict":
      return {
        level: "warning",
        text: `${about.storeTitle} and ${about.filePath} hold different ` +
          `tokens for ${about.title}; the stored one is used. If the ` +
          "registry rejects it (401), the file's may be the newer one: " +
          `\`${about.migrateCommand} --prefer file\` keeps that, ` +
          "`--prefer store` the other",
        frequency: "each",
        topic: notice.kind,
      };
    case "several-items":
      return {
        level: "note",
        text: `${about.storeTitle} holds several different tokens for ` +
          `${about.title}; not used: ${
            notice.others.map(printable).join(", ")
          }`,
        frequency: "once",
        topic: notice.kind,
      };
    case "wrong-setting":
      return {
        level: "warning",
        text:
          `${
            printable(notice.wrong.message)
          }; the keyring is not used until this ` +
          "is mended",
        frequency: "each",
        topic: notice.kind,
      };
    case "stored-empty":
      return {
        level: "warning",
        text: `${about.storeTitle} holds an empty token for ${about.title}, ` +
          `which counts as none; log in with \`${about.loginCommand}\``,
        frequency: "once",
        topic: notice.kind,
      };
    case "stored-unusable":
      return {
        level: "warning",
        text: `what ${about.storeTitle} holds for ${about.title} is no token ` +
          "that cargo accepts (printable ASCII); " +
          `replace it with \`${about.loginCommand}\``,
        frequency: "each",
        topic: notice.kind,
      };
    case "not-moved":
      return describeNotMoved(notice.reason, notice.cargoTokenFollows, about);
    case "store-failure": {
      const { failure } = notice;
      const consequence = notice.cargoTokenFollows
        ? notice.plaintext
          ? `the plaintext token in ${about.filePath} is used instead. `
          : "the next provider is asked. "
        : "";
      return {
        level: "warning",
        text: `the token of ${about.title} cannot be read: ` +
          `${printable(failure.reason)}; ` +
          `${consequence}${printable(failure.remedy)}`,
        frequency: "daily",
        topic: `${notice.kind}/${failure.cause}`,
      };
    }
    case "rebound":
      return {
        level: "warning",
        text: `${describeRebinding(notice.rebinding)}; ` +
          "your token is not sent there. If it belongs there: " +
          `\`${about.migrateCommand}\``,
        frequency: "each",
        topic: notice.kind,
      };
  }
}

function describeNotMoved(
  reason: NotMovedReason,
  cargoTokenFollows: boolean,
  about: RegistryAbout,
): NoticeText {
  const use = cargoTokenFollows
    ? ""
    : "; it is not used either, since `cargo:token` does not come after " +
      "this provider";
  const fact =
    `the token of ${about.title} lies in plaintext in ${about.filePath}`;
  const byHand = `\`${about.migrateCommand}\` moves it to ${about.storeTitle}`;
  switch (reason.kind) {
    case "notify":
      return {
        level: "note",
        text: `${fact}${use}; ${byHand}`,
        frequency: "once",
        topic: "not-moved/notify",
      };
    case "never":
      return {
        level: "note",
        text:
          `${fact} and \`migrate = "never"\` keeps it there${use}; ${byHand}`,
        frequency: "never",
        topic: "not-moved/never",
      };
    case "pinned":
      return {
        level: "note",
        text: `${fact}, where \`restore\` or \`migrate --keep-file\` has put ` +
          `it${use}; ${byHand}`,
        frequency: "once",
        topic: "not-moved/pinned",
      };
    case "not":
      return {
        level: "note",
        text: `${fact} and was not moved to ${about.storeTitle}: ` +
          `${printable(reason.sentence)}${use}${
            reason.byHand ? `; ${byHand}` : ""
          }`,
        frequency: "once",
        topic: `not-moved/${reason.reason}`,
      };
  }
}
