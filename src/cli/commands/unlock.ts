import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Run } from "../command.ts";
import { unlockCommand } from "../unlock_command.ts";

export const parser = map(
  command("unlock", object({}), {
    brief: message`Unlock the keyring or keychain with a password typed here`,
    description:
      message`Opens the keyrings of GNOME Keyring, or the default keychain of macOS, with a password that is typed on the terminal, so that cargo finds them open where no dialog can be shown, such as over ssh. On a server without a keyring it makes the first one. Other stores have nothing to unlock.`,
    footer: message`Example: ${
      commandLine("ssh -t server cargo-credential-keyring unlock")
    }`,
  }),
  (): Run => run,
);

/** Opens the keyring. */
export async function run(): Promise<number> {
  return await unlockCommand();
}
