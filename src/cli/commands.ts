import { object, or } from "@optique/core/constructs";
import { message } from "@optique/core/message";
import { multiple, optional } from "@optique/core/modifiers";
import { command, constant, option } from "@optique/core/primitives";
import { choice, string } from "@optique/core/valueparser";

const registry = multiple(option("--registry", string({ metavar: "NAME" }), {
  description: message`Only this registry; may be given several times.`,
}));

const dryRun = option("--dry-run", {
  description: message`Say what would be done, and do nothing.`,
});

const json = option("--json", {
  description: message`Report as one JSON object on standard output.`,
});

const migrate = command(
  "migrate",
  object({
    command: constant("migrate"),
    registry,
    dryRun,
    keepFile: option("--keep-file", {
      description:
        message`Store the tokens and leave them in the file as well, for tools that read it.`,
    }),
    prefer: optional(option("--prefer", choice(["file", "store"]), {
      description:
        message`Which token to keep where the file and the store hold different ones.`,
    })),
    yes: option("--yes", { description: message`Do not ask.` }),
    json,
  }),
  { brief: message`Move plaintext tokens into the credential store.` },
);

const restore = command(
  "restore",
  object({
    command: constant("restore"),
    registry,
    keepStore: option("--keep-store", {
      description: message`Write the tokens to the file and leave them stored.`,
    }),
    dryRun,
    json,
  }),
  {
    brief:
      message`Put stored tokens back into cargo's credentials file, in plaintext.`,
  },
);

const unlock = command("unlock", object({ command: constant("unlock") }), {
  brief:
    message`Unlock gnome-keyring's login collection with a password typed here, for ssh sessions.`,
});

/**
 * The command line, as data: parsing, help and shell completions come from it.
 */
export const commands = or(migrate, restore, unlock);

/** What a command was asked to do. */
export type ParsedCommand =
  | {
    readonly command: "migrate";
    readonly registry: readonly string[];
    readonly dryRun: boolean;
    readonly keepFile: boolean;
    readonly prefer: "file" | "store" | undefined;
    readonly yes: boolean;
    readonly json: boolean;
  }
  | {
    readonly command: "restore";
    readonly registry: readonly string[];
    readonly keepStore: boolean;
    readonly dryRun: boolean;
    readonly json: boolean;
  }
  | { readonly command: "unlock" };
