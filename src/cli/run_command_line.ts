import { runParser } from "@optique/core/facade";
import {
  commandLine,
  formatMessage,
  type Message,
  message,
  text,
} from "@optique/core/message";
import { findSimilar } from "@optique/core/suggestion";
import { extractOptionNames } from "@optique/core/usage";
import { guardMemory } from "../base/guard_memory.ts";
import { ownStdout, print } from "../base/print.ts";
import { type Screen, screen } from "../terminal/screen.ts";
import { type Run, UsageError } from "./command.ts";
import { commandNames, commands, usageOf } from "./commands.ts";
import { introduce } from "./introduction.ts";
import { PROGRAM, SUMMARY, versionText } from "./program.ts";
import { CommandSession, SessionError } from "./session.ts";
import { shells } from "./shells.ts";

/** Usage errors end with this status, so that scripts can tell them from failures. */
const WRONG_USAGE = 2;

/** Ends the parser, which knows no other way out of a help text or an error. */
class Ended extends Error {
  constructor(readonly status: number) {
    super();
  }
}

/**
 * Runs the program as a command for people. The first argument may be
 * `credential-keyring`, which cargo puts there when it runs the program as a
 * subcommand.
 *
 * Without arguments it introduces itself.
 *
 * Returns the exit status: 0 done, 1 something could not be done, 2 wrong usage.
 */
export async function runCommandLine(
  args: readonly string[],
  session: CommandSession = new CommandSession(),
): Promise<number> {
  ownStdout();
  const rest = withoutSubcommand(args);
  const { output } = session;
  try {
    if (rest.length === 0) {
      output.print(...await introduce(session));
      return 0;
    }
    const run = await parse(rest, screen(session.env));
    guardMemory();
    return await run(session);
  } catch (error) {
    if (error instanceof Ended) return error.status;
    if (error instanceof UsageError) {
      output.printError(...wrongUsage(error.message, rest));
      return WRONG_USAGE;
    }
    // What nobody has thought of is no reason to show a stack.
    const text = error instanceof SessionError
      ? error.message
      : `${PROGRAM} has failed (${
        error instanceof Error ? error.name : typeof error
      })`;
    output.printError(`error: ${text}`);
    return 1;
  }
}

/**
 * The arguments without `credential-keyring`, which cargo puts in front, and
 * which a shell completes behind `cargo`.
 */
function withoutSubcommand(args: readonly string[]): readonly string[] {
  const at = args[0] === "completion" ? 2 : 0;
  return args[at] === "credential-keyring"
    ? args.filter((_, i) => i !== at)
    : args;
}

function parse(
  args: readonly string[],
  { color, width }: Screen,
): Promise<Run> {
  const end = (status: number): never => {
    throw new Ended(status);
  };
  return runParser(commands, PROGRAM, args, {
    brief: message`${text(SUMMARY)}`,
    footer: message`Run ${
      commandLine(`${PROGRAM} COMMAND --help`)
    } for the options of a command and examples.`,
    help: {
      command: true,
      option: { names: ["-h", "--help"] },
      onShow: () => end(0),
    },
    version: {
      option: { names: ["-V", "--version"] },
      value: versionText(),
      onShow: () => end(0),
    },
    completion: { command: true, shells, onShow: () => end(0) },
    colors: color,
    ...(width === undefined ? {} : { maxWidth: width }),
    showChoices: true,
    aboveError: "none",
    stdout: print,
    // The error comes to `onError` as well.
    stderr: () => {},
    onError: (_, error) => {
      throw new UsageError(describeError(error, args));
    },
  });
}

/** As cargo words it. */
function wrongUsage(text: string, args: readonly string[]): string[] {
  const [command = ""] = args;
  const help = usageOf(command) === undefined ? "--help" : `${command} --help`;
  return [
    `error: ${text}`,
    "",
    `For more information, try \`${PROGRAM} ${help}\`.`,
  ];
}

/** What the parser says is wrong, in the words of cargo where it has some. */
function describeError(error: Message, args: readonly string[]): string {
  const unexpected = unexpectedInput(error);
  if (unexpected === undefined) {
    const text = formatMessage(error).replace(/\.$/, "");
    return /^[A-Z][a-z]/.test(text)
      ? text.charAt(0).toLowerCase() + text.slice(1)
      : text;
  }
  const [command = ""] = args;
  const usage = usageOf(command);
  const [what, candidates] = unexpected.startsWith("-")
    ? ["unknown option", usage === undefined ? [] : extractOptionNames(usage)]
    : usage === undefined
    ? ["unknown command", commandNames()]
    : ["unexpected argument", []];
  const [similar] = findSimilar(unexpected, candidates, { maxSuggestions: 1 });
  return `${what} \`${unexpected}\`` +
    (similar === undefined ? "" : `; did you mean \`${similar}\`?`);
}

/** The argument that the parser knows nothing to do with. */
function unexpectedInput([first, second]: Message): string | undefined {
  return first?.type === "text" &&
      first.text.startsWith("Unexpected option or subcommand") &&
      second?.type === "optionName"
    ? second.optionName
    : undefined;
}
