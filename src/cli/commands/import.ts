import { object } from "@optique/core/constructs";
import { message, metavar } from "@optique/core/message";
import { map, multiple, optional } from "@optique/core/modifiers";
import { argument, command, option } from "@optique/core/primitives";
import { choice } from "@optique/core/valueparser";
import type { Run } from "../command.ts";
import { fileName } from "../file_name.ts";
import { dryRun, examples, json, yes } from "../options.ts";

export const parser = map(
  command(
    "import",
    object({
      file: argument(fileName, {
        description: message`The file to read`,
      }),
      identity: multiple(option("--identity", fileName, {
        description:
          message`Decrypt with the private keys in this file; can be given several times`,
      })),
      prefer: optional(option("--prefer", choice(["imported", "existing"]), {
        description:
          message`Which token to keep where there is another one already`,
      })),
      dryRun,
      yes,
      json,
    }),
    {
      brief: message`Store the tokens of an exported file`,
      description: message`Stores the tokens of ${
        metavar("FILE")
      } in the credential store. Where the store or cargo's credentials file holds another token for the same registry, it asks which one to keep. ${
        metavar("FILE")
      } stays as it is.`,
      footer: examples(
        "import --dry-run tokens.age",
        "import --identity key.txt tokens.age",
      ),
    },
  ),
  (args): Run => async (session) => {
    const { runImport } = await import("../import_tokens.ts");
    return await runImport(args, session);
  },
);
