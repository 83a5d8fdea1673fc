import { or } from "@optique/core/constructs";
import type { Usage } from "@optique/core/usage";
import * as doctor from "./commands/doctor.ts";
import * as exec from "./commands/exec.ts";
import * as exportTokens from "./commands/export.ts";
import * as importTokens from "./commands/import.ts";
import * as log from "./commands/log.ts";
import * as man from "./commands/man.ts";
import * as migrate from "./commands/migrate.ts";
import * as restore from "./commands/restore.ts";
import * as setup from "./commands/setup.ts";
import * as status from "./commands/status.ts";
import * as token from "./commands/token.ts";
import * as unlock from "./commands/unlock.ts";

/**
 * Every command: parsing, help and shell completions come from this list. What
 * is parsed is a function that runs the command.
 */
export const commands = or(
  setup.parser,
  status.parser,
  doctor.parser,
  migrate.parser,
  restore.parser,
  unlock.parser,
  exportTokens.parser,
  importTokens.parser,
  exec.parser,
  token.parser,
  log.parser,
  man.parser,
);

/** The usage of every command. */
function usages(): readonly Usage[] {
  return commands.usage.flatMap((term) =>
    term.type === "exclusive" ? term.terms : []
  );
}

/** The names of all commands, in the order of the help text. */
export function commandNames(): string[] {
  return usages().flatMap(([term]) =>
    term?.type === "command" ? [term.name] : []
  );
}

/** The usage of one command. */
export function usageOf(command: string): Usage | undefined {
  return usages().find(([term]) =>
    term?.type === "command" && term.name === command
  );
}
