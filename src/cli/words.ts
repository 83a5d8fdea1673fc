import type { IneligibleReason } from "../tokens/eligibility.ts";
import type { Reason, ReasonCode } from "../tokens/reason.ts";
import type { FailureCause } from "../stores/credential_store.ts";
import { describeObstacle } from "../tokens/words.ts";

/** What a reason's sentence is about. */
export interface About {
  /** The registry's name; its URL if nothing has a name for it. */
  readonly name: string;
  /** The store's name in a sentence. */
  readonly store: string;
  /** The credentials file. */
  readonly file: string;
}

type Words = (about: About, detail: string) => string;

/** A command of ours for one registry, as it is typed. */
function commandFor(
  command: "migrate" | "restore",
  name: string,
  ...options: readonly string[]
): string {
  return ["cargo-credential-keyring", command, "--registry", name, ...options]
    .join(" ");
}

const migrate = (name: string, ...options: string[]): string =>
  `\`${commandFor("migrate", name, ...options)}\``;

/** Worded in rooms of their own. */
type ElsewhereWorded = IneligibleReason | FailureCause;

/**
 * The sentence of every reason, as a clause without a final stop. Where the
 * user can do something about it, the clause says what.
 */
const WORDS:
  & Readonly<Record<Exclude<ReasonCode, ElsewhereWorded>, Words>>
  & Readonly<Partial<Record<ElsewhereWorded, Words>>> = {
    "moved": ({ store }) => `to ${store}`,
    "removed": ({ store, file }) =>
      `${store} has it, and ${file} no longer does`,
    "superseded": ({ store, file }) =>
      `${store} has the newer one, and ${file} no longer has the older`,
    "copied": ({ store, file }) => `to ${store}; it stays in ${file} as well`,
    "not-yet-on-disk": ({ store, name }, from) =>
      `${store} has it${
        from === "" ? "" : " for this URL"
      }, and writes it to ` +
      `disk later; ${
        from === ""
          ? "the file's copy goes with the next cargo command that needs it " +
            `after that, or ${migrate(name)}`
          : `the item of ${from} goes when this command is run again`
      }`,
    "not-durable": ({ store }) =>
      `${store} has it for this URL in memory alone, and keeps the other item`,
    "adopted": ({ store }, from) =>
      `${store} has it for this URL, and no longer for ${from}`,
    "imported": ({ store }) => `to ${store}`,
    "restored": ({ file }) => `to ${file}`,
    "kept-stored": ({ store, file }) => `to ${file}; ${store} keeps it as well`,
    "discards-file": ({ store, file }) =>
      `the token in ${file} is discarded, and the one in ${store} kept`,
    "discards-stored": ({ store, file }) =>
      `the token in ${store} is discarded, and the one in ${file} kept`,

    "stored": ({ store }) => `${store} has it`,
    "no-token": ({ file, name }, elsewhere) =>
      `${file} holds no token for it` + describeElsewhere(name, elsewhere),
    "nothing-stored": ({ store, name }, elsewhere) =>
      `${store} holds no token for it` + describeElsewhere(name, elsewhere),
    "pinned": ({ name }) =>
      "`restore` or `--keep-file` has put its token into the file; " +
      `${migrate(name)} moves it`,

    "no-index": ({ name }) =>
      "no configuration binds the name to an index URL; " +
      `${migrate(name, "--index", "URL")} says which registry its token is for`,
    "no-name": (_, url) =>
      "your own configuration has no name for this URL; give it one, or give " +
      "the token to a name that it has: " +
      `${migrate("NAME", "--from", url)}`,
    "in-use": (_, name) =>
      `your own configuration binds \`${name}\` to the URL that the token is ` +
      "stored for, and needs it there",
    "rebound": (_, url) =>
      `a project binds the name to ${url} here, and cargo might send it the ` +
      "token; run this in another directory",

    "different-tokens": ({ store, file, name }) =>
      `${store} and ${file} hold different tokens; ${
        migrate(name, "--prefer", "file")
      } or \`--prefer store\` says which one to keep`,
    "other-items": ({ store }, items) =>
      `${store} holds other tokens for the same URL, which would be lost ` +
      `(${items}); erase those you do not need with the store's own program`,

    "needs-yes": (_, fact) => `${fact}; \`--yes\` confirms it`,
    "declined": (_, fact) => `${fact}; it was not confirmed`,

    "in-config": ({ name }, place) =>
      `${place} holds a token, which is left: take it out by hand after ` +
      `\`cargo login${
        name === "crates-io" ? "" : ` --registry ${name}`
      }\` has ` +
      "stored one",
    "never-read": (_, place) =>
      `${place} holds a token that cargo never reads, since it looks for the ` +
      "one of crates.io in [registry]; take it out by hand",
    "fallback": (_, setting) =>
      `\`fallback = "${setting}"\` does not allow a token in the file`,
    "stored-unusable": ({ store, name }) =>
      `what ${store} holds is no token that cargo accepts; ` +
      `\`cargo login --registry ${name}\` replaces it`,
    "not-erased": ({ store }, why) => `${store} still has it as well: ${why}`,

    "busy": ({ file }) => `another program is writing ${file}; try again`,
    "changed": () => "another program has just changed it; try again",
    "no-memory": () =>
      "the state file in cargo's home cannot be written, and the next command " +
      "would undo it",
    "not-read-back": ({ file }) =>
      `${file} does not give the token back; the stored one was left`,
    "leads-elsewhere": () =>
      "your own configuration no longer binds the name to this URL; the stored " +
      "token was left",
    "file-unusable": ({ file }, why) => `${file}: ${why}`,
    "not-edited": ({ file }, why) => `${file} was not changed: ${why}`,

    "bound-otherwise": (_, binding) =>
      `your own configuration binds the name to ${binding}, and cargo might ` +
      "send it the token; keep one of the two",
    "plaintext-keyring": ({ store }) =>
      `to ${store}, but ${describePlaintextKeyring(store)}`,
    "bound-by-project": ({ name }, url) =>
      `only a project binds the name to ${url}. If the token is for that ` +
      `registry: ${migrate(name, "--index", url)}`,
  };

/** A reason in words: a clause without a final stop. */
export function describeReason(reason: Reason, about: About): string {
  const { code, obstacle } = reason;
  const detail = reason.detail ??
    (obstacle === undefined ? "" : describeObstacle(obstacle));
  const isRule = obstacle?.kind === "not";
  const worded: Words | undefined = isRule ? undefined : WORDS[code];
  const words = (worded?.(about, detail) ?? detail).replace(/\.$/, "");
  return isRule && obstacle.byHand
    ? `${words}; ${migrate(about.name)} moves it`
    : words;
}

/** What a keyring without a password is: a clause without a final stop. */
export function describePlaintextKeyring(store: string): string {
  return `the default keyring of ${store} has no password and is a PLAINTEXT ` +
    "file itself; give it one, for instance with Seahorse";
}

/** `elsewhere`: URLs that nothing leads to and the store has tokens for. */
function describeElsewhere(name: string, elsewhere: string): string {
  if (elsewhere === "") return "";
  const from = elsewhere.includes(" ") ? "URL" : elsewhere;
  return "; but there is a token for an index URL that no name leads to: " +
    `${elsewhere}. If it belongs here: ${migrate(name, "--from", from)}`;
}
