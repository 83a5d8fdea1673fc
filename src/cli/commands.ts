import { or } from "@optique/core/constructs";
import * as migrate from "./commands/migrate.ts";
import * as restore from "./commands/restore.ts";
import * as unlock from "./commands/unlock.ts";

/**
 * Every command: parsing, help and shell completions come from this list. What
 * is parsed is a function that runs the command.
 */
export const commands = or(
  migrate.parser,
  restore.parser,
  unlock.parser,
);
