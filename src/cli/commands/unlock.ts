import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Run } from "../command.ts";
import { unlockCommand } from "../unlock_command.ts";

export const parser = map(
  command("unlock", object({}), {
    brief: message`Unlock GNOME Keyring with a password typed here`,
    description:
      message`Opens GNOME Keyring's default keyring with a password that is typed on the terminal, so that cargo finds it open where no dialog can be shown, such as over ssh.`,
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
