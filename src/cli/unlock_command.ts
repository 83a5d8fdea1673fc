import { openSecurity } from "../../ffi/security.ts";
import { printError } from "../base/print.ts";
import type { Secret } from "../base/secret.ts";
import {
  describeStoreFailure,
  type StoreFailure,
} from "../stores/credential_store.ts";
import {
  createKeyring,
  lookAtKeyrings,
  unlockKeyring,
} from "../stores/gnome_keyring_unlock.ts";
import { lookAtKeychain, unlockKeychain } from "../stores/keychain_unlock.ts";
import { openTerminal } from "../terminal/open_terminal.ts";

/** How long gnome-keyring may take. */
const CALL_MS = 10_000;

/** How long a person may type. */
const QUESTION_MS = 2 * 60_000;

/**
 * `unlock`: opens gnome-keyring's keyrings with passwords typed on the
 * terminal, so that cargo finds them open where no dialog can be shown (ssh).
 * Where there is none yet, it makes the first one.
 */
export async function unlockCommand(): Promise<number> {
  return Deno.build.os === "darwin"
    ? await unlockLoginKeychain()
    : await unlockKeyrings();
}

/** The same on macOS, for the keychain that holds the tokens. */
export async function unlockLoginKeychain(
  read: typeof readPassword = readPassword,
  open: Parameters<typeof lookAtKeychain>[0] = openSecurity,
): Promise<number> {
  const look = await lookAtKeychain(open);
  if (look.kind === "already-unlocked") {
    printError("The keychain is open already.");
    return 0;
  }
  if (look.kind !== "needs-password") return refuse(look);
  const typed = await read("Password of the keychain (it is not shown): ");
  if (typed === undefined) return 1;
  const unlocked = await unlockKeychain(typed, open);
  typed.wipe();
  switch (unlocked.kind) {
    case "unlocked":
      printError("The keychain is open.");
      return 0;
    case "wrong-password":
      printError("error: that is not the keychain's password");
      return 1;
    default:
      return refuse(unlocked);
  }
}

async function unlockKeyrings(): Promise<number> {
  const look = await lookAtKeyrings({ signal: AbortSignal.timeout(CALL_MS) });
  switch (look.kind) {
    case "needs-password": {
      // The default one must open; an empty password leaves another one be.
      const [first, ...others] = look.keyrings;
      let status = await ask(first, false);
      for (const keyring of others) {
        if (status === 0) status = await ask(keyring, true);
      }
      return status;
    }
    case "no-keyring":
      return await make();
    case "already-unlocked":
      printError("The keyring is open already.");
      return 0;
    default:
      return refuse(look);
  }
}

async function ask(
  keyring: Parameters<typeof unlockKeyring>[0],
  optional: boolean,
): Promise<number> {
  const name = `the keyring "${keyring.label}"`;
  const typed = await readPassword(
    `Password of ${name} (it is not shown${
      optional ? "; nothing leaves it locked" : ""
    }): `,
  );
  if (typed === undefined) return 1;
  if (optional && typed.length === 0) {
    printError(`The keyring "${keyring.label}" stays locked.`);
    return 0;
  }
  const unlocked = await unlockKeyring(keyring, typed, {
    signal: AbortSignal.timeout(CALL_MS),
  });
  typed.wipe();
  switch (unlocked.kind) {
    case "unlocked":
      printError(`The keyring "${keyring.label}" is open.`);
      return 0;
    case "wrong-password":
      printError(`error: that is not the password of ${name}`);
      return 1;
    default:
      return refuse(unlocked);
  }
}

async function make(): Promise<number> {
  printError(
    "There is no keyring yet. It gets a password now; a login on the desktop " +
      "opens it if that is your own.",
  );
  const typed = await readPassword("New password (it is not shown): ");
  if (typed === undefined) return 1;
  try {
    if (typed.length === 0) {
      printError("error: without a password it would be a plaintext file");
      return 1;
    }
    const again = await readPassword("The same again: ");
    if (again === undefined) return 1;
    const same = again.equals(typed);
    again.wipe();
    if (!same) {
      printError("error: the two are not the same");
      return 1;
    }
    const created = await createKeyring(typed, {
      signal: AbortSignal.timeout(CALL_MS),
    });
    if (created.kind !== "created") return refuse(created);
    printError("The keyring is made, and open.");
    return 0;
  } finally {
    typed.wipe();
  }
}

/** A password; `undefined` if there is none, which has been said. */
async function readPassword(question: string): Promise<Secret | undefined> {
  const terminal = await openTerminal();
  const typed = await terminal.prompt(question, {
    signal: AbortSignal.timeout(QUESTION_MS),
  });
  if (typed.kind === "line") return typed.line;
  printError(
    typed.kind === "no-terminal"
      ? "error: there is no terminal to ask for the password: run " +
        "`cargo-credential-keyring unlock` in one"
      : "error: no password was given",
  );
  return undefined;
}

function refuse(
  outcome: StoreFailure | { readonly kind: "not-gnome-keyring" },
): number {
  printError(
    outcome.kind === "not-gnome-keyring"
      ? "error: the Secret Service here is not gnome-keyring, which alone can " +
        "be unlocked like this; unlock it with its own program"
      : `error: ${describeStoreFailure(outcome)}`,
  );
  return 1;
}
