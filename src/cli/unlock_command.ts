import { printError } from "../base/print.ts";
import {
  lookAtDefaultKeyring,
  unlockDefaultKeyring,
} from "../stores/gnome_keyring_unlock.ts";
import type { StoreFailure } from "../stores/credential_store.ts";
import { openTerminal } from "../terminal/open_terminal.ts";
import { printable } from "../base/printable.ts";

/** How long gnome-keyring may take. */
const CALL_MS = 10_000;

/** How long a person may type. */
const QUESTION_MS = 2 * 60_000;

/**
 * `unlock`: opens gnome-keyring's default keyring with a password typed on the
 * terminal, so that cargo finds it open where no dialog can be shown (ssh).
 *
 * @returns The exit status.
 */
export async function unlockCommand(): Promise<number> {
  const look = await lookAtDefaultKeyring({
    signal: AbortSignal.timeout(CALL_MS),
  });
  switch (look.kind) {
    case "needs-password":
      return await askAndUnlock(look.keyring);
    case "already-unlocked":
      printError("The keyring is open already.");
      return 0;
    default:
      return refuse(look);
  }
}

async function askAndUnlock(keyring: string): Promise<number> {
  const terminal = await openTerminal();
  const typed = await terminal.prompt(
    `Password of the keyring "${printable(keyring)}" (it is not shown): `,
    { signal: AbortSignal.timeout(QUESTION_MS) },
  );
  if (typed.kind !== "line") {
    printError(
      typed.kind === "no-terminal"
        ? "error: there is no terminal to ask for the password"
        : "error: no password was given",
    );
    return 1;
  }
  const unlocked = await unlockDefaultKeyring(typed.line, {
    signal: AbortSignal.timeout(CALL_MS),
  });
  typed.line.wipe();
  switch (unlocked.kind) {
    case "unlocked":
    case "already-unlocked":
      printError("The keyring is open.");
      return 0;
    case "wrong-password":
      printError("error: that is not the keyring's password");
      return 1;
    default:
      return refuse(unlocked);
  }
}

function refuse(
  outcome: StoreFailure | { readonly kind: "not-gnome-keyring" },
): number {
  printError(
    outcome.kind === "not-gnome-keyring"
      ? "error: the Secret Service here is not gnome-keyring, which alone can " +
        "be unlocked like this; unlock it with its own program"
      : `error: ${outcome.reason}. ${outcome.remedy}`,
  );
  return 1;
}
