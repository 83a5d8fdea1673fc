import type { Rebinding } from "../cargo/rebinding.ts";
import { environmentName } from "../cargo/registries.ts";
import { describeTokenFileFault } from "../cargo/token_file.ts";
import { USER_FILE_NAME } from "../settings/places.ts";
import type { GetNotice, NotMovedReason } from "./get_decision.ts";
import { describeRebinding, type RegistryAbout } from "../tokens/about.ts";
import { describeRule } from "../tokens/words.ts";

/** How often a notice is given (see `src/state/notices.ts`). */
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

/** What is said of arguments in cargo's configuration, which may be anyone's. */
export function describeArguments(cargoHome: string): NoticeText {
  return {
    level: "warning",
    text: "the arguments of this provider in cargo's configuration are " +
      `ignored; settings go into ${cargoHome}/${USER_FILE_NAME} or ` +
      "into variables such as `CARGO_CREDENTIAL_KEYRING_STORE`",
    frequency: "once",
    topic: "arguments",
  };
}

/** What a notice of `get` depends on besides itself. */
export interface NoticeFacts {
  /** Whether `cargo:token` is asked after this provider. */
  readonly cargoTokenFollows: boolean;
  /** Whether the file holds a token for this registry. */
  readonly hasPlaintext: boolean;
}

/** The sentence for a notice of `get`: the only place where it is worded. */
export function describeGetNotice(
  notice: GetNotice,
  facts: NoticeFacts,
  about: RegistryAbout,
): NoticeText {
  const { title, storeTitle, filePath, migrateCommand, loginCommand } = about;
  const topic = notice.kind;
  switch (notice.kind) {
    case "environment-used":
      return {
        level: "note",
        text: `the token of ${title} comes from the environment variable ` +
          `\`${notice.variable}\`; cargo says that it is ignored, ` +
          "since `cargo:token` is not among its providers, but it is used",
        frequency: "each",
        topic,
      };
    case "token-file-unusable": {
      const { variable, path, fault } = notice.file;
      const consequence = notice.cargoTokenFollows
        ? "the next provider is asked"
        : "no other token is used instead";
      return {
        level: "warning",
        text: `the token of ${title} cannot be read: \`${variable}\` leads ` +
          `to ${path}, which ${describeTokenFileFault(fault)}; ` +
          `${consequence}. The file is to hold the token and nothing else`,
        frequency: "each",
        topic,
      };
    }
    case "token-file-readable":
      return {
        level: "note",
        text: `every user of this machine may read the token of ` +
          `${title} in ${notice.path}; mode 0400 keeps it to ` +
          "its owner",
        frequency: "once",
        topic,
      };
    case "conflict":
      return {
        level: "warning",
        text: `${filePath} and ${storeTitle} hold different tokens for ` +
          `${title}; the file's is used, as cargo alone would. One of them ` +
          `is to go: \`${migrateCommand} --prefer file\` moves the file's and ` +
          "discards the stored one, `--prefer store` discards the file's",
        frequency: "daily",
        topic,
      };
    case "superseded-left":
      return {
        level: "note",
        text: `${filePath} holds an older token for ${title}, which a login ` +
          `has replaced; the one in ${storeTitle} is used. ` +
          `\`${migrateCommand}\` says why the older one was not removed`,
        frequency: "daily",
        topic,
      };
    case "several-items":
      return {
        level: "note",
        text: `${storeTitle} holds several different tokens for ${title}; ` +
          `not used: ${notice.others.join(", ")}`,
        frequency: "once",
        topic,
      };
    case "wrong-setting":
      return {
        level: "warning",
        text: `${notice.wrong.message}; the keyring is not used ` +
          "until this is fixed",
        frequency: "each",
        topic,
      };
    case "stored-unusable":
      return {
        level: "warning",
        text: `what ${storeTitle} holds for ${title} is ` +
          (notice.empty
            ? "empty, which counts as no token"
            : "no token that cargo accepts (printable ASCII)") +
          `; replace it with \`${loginCommand}\``,
        frequency: "daily",
        topic,
      };
    case "stored-elsewhere":
      return {
        level: "note",
        text: `${storeTitle} has no token for the index URL of ${title}, but ` +
          `one of that name for ${notice.urls.join(" and ")}, where no name ` +
          "of yours leads. If it belongs here: " +
          `\`${migrateCommand} --from ${notice.urls[0]}\``,
        frequency: "daily",
        topic,
      };
    case "not-moved":
      return describeLeftInFile(notice.reason, facts.cargoTokenFollows, about);
    case "store-failure": {
      const { failure } = notice;
      const consequence = !facts.cargoTokenFollows
        ? ""
        : facts.hasPlaintext
        ? `the plaintext token in ${filePath} is used instead. `
        : "the next provider is asked. ";
      return {
        level: "warning",
        text: `the token of ${title} cannot be read: ${failure.reason}; ` +
          consequence + failure.remedy,
        frequency: "daily",
        topic: `${topic}/${failure.cause}`,
      };
    }
    case "rebound":
      return {
        level: "warning",
        text: describeRebound(notice.rebinding, about),
        frequency: "each",
        topic,
      };
  }
}

/**
 * Why a token is not sent, and what sends it. The variable binds the name by
 * the user's own word, on a build service and without a store, too.
 */
function describeRebound(rebinding: Rebinding, about: RegistryAbout): string {
  const url = rebinding.projectUrl;
  const variable = `CARGO_REGISTRIES_${
    environmentName(rebinding.name ?? "NAME")
  }_INDEX`;
  return `${describeRebinding(rebinding)}; your token is not sent there. ` +
    `If it belongs there, bind the name yourself: \`${variable}=${url}\` in ` +
    "the environment, or in your own configuration; or store a token for " +
    `that URL: \`${about.migrateCommand} --index ${url}\``;
}

function describeLeftInFile(
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
  const [topic, text]: readonly [string, string] = reason.kind === "notify"
    ? ["notify", `${fact}${use}; ${byHand}`]
    : reason.kind === "never"
    ? ["never", `${fact} and \`migrate = "never"\` keeps it there${use}`]
    : reason.kind === "pinned"
    ? [
      "pinned",
      `${fact}, where \`restore\` or \`migrate --keep-file\` has put it` +
      `${use}; ${byHand}`,
    ]
    : [
      reason.reason,
      `${fact} and was not moved to ${about.storeTitle}: ` +
      `${describeRule(reason)}${use}${reason.byHand ? `; ${byHand}` : ""}`,
    ];
  const frequency = reason.kind === "never" ? "never" : "once";
  return { level: "note", text, frequency, topic: `not-moved/${topic}` };
}
