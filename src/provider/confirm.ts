import type { Operation } from "../protocol/messages.ts";
import type { Confirmable } from "../settings/settings.ts";
import { confirm } from "../terminal/confirm.ts";
import type { ProviderContext } from "./context.ts";

/** As many digits of a checksum as a person compares. */
const DIGITS = 12;

/**
 * Whether somebody has to be asked. An operation that this version does not
 * know may do anything.
 */
export function needsConfirmation(
  operation: Operation,
  wanted: readonly Confirmable[],
): boolean {
  switch (operation.kind) {
    case "read":
      return false;
    case "publish":
    case "owners":
      return wanted.includes(operation.kind);
    case "yank":
    case "unyank":
      return wanted.includes("yank");
    case "unknown":
      return wanted.length > 0;
  }
}

/** What an operation does: `to publish foo 1.2.3 (sha256 0123456789ab…)`. */
function describeOperation(operation: Operation): string {
  switch (operation.kind) {
    case "read":
      return "to read its index";
    case "publish": {
      const { name, vers, cksum } = operation;
      return `to publish ${name} ${vers} ` +
        `(sha256 ${cksum.slice(0, DIGITS)}…)`;
    }
    case "yank":
    case "unyank":
      return `to ${operation.kind} ${operation.name} ` +
        operation.vers;
    case "owners":
      return `to list or change the owners of ${operation.name}`;
    case "unknown":
      return "for something that this version does not know";
  }
}

/**
 * Asks the person at the terminal whether the token may go out. Returns why it
 * may not, as the text of an error; `undefined`: it may.
 */
export async function confirmHandOver(
  operation: Operation,
  patienceMs: number,
  context: ProviderContext,
): Promise<string | undefined> {
  const { title } = await context.about();
  const what = describeOperation(operation);
  const terminal = await context.registry.session.terminal();
  if (!terminal.canAsk) {
    return `the token of ${title} was not handed over ${what}: the setting ` +
      "`confirm` wants somebody at the terminal to confirm it, and nobody is " +
      "there";
  }
  context.waitForPerson(patienceMs);
  const question = `hand over the token of ${title} ${what}?`;
  if (!await confirm(terminal, question, context.deadline.signal)) {
    return `the token of ${title} was not handed over ${what}: ` +
      "it was not confirmed (setting `confirm`)";
  }
  await context.restartDeadline();
  return undefined;
}
