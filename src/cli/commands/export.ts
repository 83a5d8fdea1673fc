import { object } from "@optique/core/constructs";
import { message, metavar } from "@optique/core/message";
import { map, multiple } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { string } from "@optique/core/valueparser";
import type { Run } from "../command.ts";
import { fileName } from "../file_name.ts";
import { examples, registry, yes } from "../options.ts";

export const parser = map(
  command(
    "export",
    object({
      file: argument(fileName, {
        description: message`The file to write`,
      }),
      registry,
      recipient: multiple(
        option("--recipient", string({ metavar: "KEY" }), {
          description:
            message`Encrypt to this public key (age1…) instead of asking for a passphrase; can be given several times`,
        }),
      ),
      recipientsFile: multiple(option("--recipients-file", fileName, {
        description: message`Encrypt to the public keys in this file`,
      })),
      yes,
    }),
    {
      brief: message`Write all tokens to an encrypted file`,
      description:
        message`Writes the tokens of the credential store and of cargo's credentials file to ${
          metavar("FILE")
        }, for another machine or as a backup. The file is encrypted in the age format, with a passphrase that is typed on the terminal or to public keys. Tokens of environment variables are not in it.`,
      footer: examples(
        "export tokens.age",
        "export --recipients-file keys.txt tokens.age",
      ),
    },
  ),
  (args): Run => async (session) => {
    const { runExport } = await import("../export_tokens.ts");
    return await runExport(args, session);
  },
);
