import {
  commandLine,
  lineBreak,
  type Message,
  message,
  text,
} from "@optique/core/message";
import { multiple } from "@optique/core/modifiers";
import { option } from "@optique/core/primitives";
import { registryName } from "./registry_name.ts";

/** `--registry NAME`, any number of times. */
export const registry = multiple(
  option("--registry", registryName, {
    description: message`Only this registry; can be given several times`,
  }),
);

export const dryRun = option("--dry-run", {
  description: message`Say what would be done, and do nothing`,
});

export const json = option("--json", {
  description: message`Report as one JSON object on standard output`,
});

export const yes = option("--yes", {
  description: message`Confirm what would be asked`,
});

/** The footer of a command's help: some of its calls. */
export function examples(...calls: readonly string[]): Message {
  return [
    text("Examples:"),
    ...calls.flatMap((call) => [
      lineBreak(),
      text("  "),
      commandLine(`cargo-credential-keyring ${call}`),
    ]),
  ];
}
