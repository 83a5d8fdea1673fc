import { object } from "@optique/core/constructs";
import {
  commandLine,
  lineBreak,
  message,
  optionName,
} from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { Run } from "../command.ts";
import { dryRun, json, yes } from "../options.ts";
import type { CommandSession } from "../session.ts";

const options = object({
  dryRun,
  here: option("--here", {
    description:
      message`Leave the program where it is, and name that place in cargo's configuration`,
  }),
  prefer: optional(option("--prefer", choice(["file", "store"]), {
    description:
      message`Which token to keep where the file and the store hold different ones; the other is discarded`,
  })),
  yes,
  undo: option("--undo", {
    description:
      message`Take out of cargo's configuration what was put in, and remove the copy of the program`,
  }),
  json,
});

/** What `setup` was asked to do. */
export type SetupArguments = InferValue<typeof options>;

export const parser = map(
  command("setup", options, {
    brief: message`Make this program cargo's credential provider`,
    description:
      message`Installs the program into cargo's folder for programs, makes it the provider that cargo asks first, and offers to move the plaintext tokens. It shows what it would change and asks; nothing else in cargo's configuration is touched. With ${
        optionName("--json")
      } it asks nothing, and does what needs a yes only with ${
        optionName("--yes")
      }.`,
    footer: message`Examples:${lineBreak()}  ${
      commandLine("cargo-credential-keyring setup --dry-run")
    }${lineBreak()}  ${commandLine("cargo-credential-keyring setup --undo")}`,
  }),
  (args): Run => (session) => run(args, session),
);

/** Sets the program up, or takes it out again. */
export async function run(
  args: SetupArguments,
  session: CommandSession,
): Promise<number> {
  const { setUp } = await import("../setup/set_up.ts");
  const { undo } = await import("../setup/undo.ts");
  return args.undo ? await undo(args, session) : await setUp(args, session);
}
