import type { Secret } from "../base/secret.ts";
import type { CommandSession } from "./session.ts";

/** What takes a second or more, on purpose. */
export const DERIVING = "Making a key of the passphrase";

/**
 * Asks for a passphrase on the terminal, unseen; `undefined` if there is none,
 * which has been said.
 *
 * `repeat`: whether it is asked for twice: a new one may be mistyped.
 */
export async function askPassphrase(
  question: string,
  session: CommandSession,
  repeat: boolean,
): Promise<Secret | undefined> {
  const typed = await askOnce(`${question}: `, session);
  if (typed === undefined || !repeat) return typed;
  const again = await askOnce(`${question}, once more: `, session);
  if (again === undefined) {
    typed.wipe();
    return undefined;
  }
  const isSame = again.equals(typed);
  again.wipe();
  if (isSame) return typed;
  typed.wipe();
  session.output.printError("error: the two passphrases are not the same");
  return undefined;
}

async function askOnce(
  question: string,
  session: CommandSession,
): Promise<Secret | undefined> {
  const outcome = await session.ask(question);
  if (outcome.kind === "line" && outcome.line.length > 0) return outcome.line;
  session.output.printError(
    outcome.kind === "no-terminal"
      ? "error: there is no terminal to ask for the passphrase"
      : "error: no passphrase was given",
  );
  return undefined;
}
