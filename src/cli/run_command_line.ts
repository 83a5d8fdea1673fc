import { runParser } from "@optique/core/facade";
import { commands, type ParsedCommand } from "./commands.ts";
import { ownStdout, print, printError } from "../base/print.ts";

/** Usage errors end with this status, so that scripts can tell them from failures. */
const WRONG_USAGE = 2;

const VERSION = "0.1.0";

/** Ends the parser, which knows no other way out of a help text or an error. */
class Ended extends Error {
  constructor(readonly status: number) {
    super();
  }
}

/**
 * Runs the program as a command for people.
 *
 * @param args The arguments; the first may be `credential-keyring`, which
 * cargo puts there when it runs the program as a subcommand.
 * @returns The exit status: 0 done, 1 something could not be done, 2 wrong
 * usage.
 */
export async function runCommandLine(
  args: readonly string[],
): Promise<number> {
  ownStdout();
  const rest = args[0] === "credential-keyring" ? args.slice(1) : args;
  let parsed: ParsedCommand;
  try {
    parsed = parse(rest);
  } catch (error) {
    if (error instanceof Ended) return error.status;
    throw error;
  }
  switch (parsed.command) {
    case "migrate": {
      const { migrateCommand } = await import("./migrate_command.ts");
      return await migrateCommand(parsed);
    }
    case "restore": {
      const { restoreCommand } = await import("./restore_command.ts");
      return await restoreCommand(parsed);
    }
    case "unlock": {
      const { unlockCommand } = await import("./unlock_command.ts");
      return await unlockCommand();
    }
  }
}

function parse(args: readonly string[]): ParsedCommand {
  const end = (status: number): never => {
    throw new Ended(status);
  };
  return runParser(commands, "cargo-credential-keyring", args, {
    help: { command: true, option: true, onShow: () => end(0) },
    version: { option: true, value: VERSION, onShow: () => end(0) },
    completion: { command: true, onShow: () => end(0) },
    stdout: print,
    stderr: printError,
    onError: () => end(WRONG_USAGE),
  });
}
