import { object } from "@optique/core/constructs";
import { commandLine, message, optionName } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command, option } from "@optique/core/primitives";
import { print } from "../../base/print.ts";
import type { Run } from "../command.ts";
import type { CommandSession } from "../session.ts";
import { registryName } from "../registry_name.ts";

export const parser = map(
  command(
    "token",
    object({
      registry: option("--registry", registryName, {
        description: message`The registry; crates-io for crates.io`,
      }),
    }),
    {
      brief: message`Print the token of one registry`,
      description:
        message`Prints the token that cargo would use for a registry on standard output, for a script that needs one. Only a registry that is named with ${
          optionName("--registry")
        } is looked up.`,
      footer: message`Example: ${
        commandLine(
          "cargo-credential-keyring token --registry crates-io | podman secret create cargo-token -",
        )
      }`,
    },
  ),
  (args): Run => (session) => run(args, session),
);

/** Prints a token and nothing else. */
export async function run(
  { registry }: { readonly registry: string },
  session: CommandSession,
): Promise<number> {
  const { describeNoToken, lookUpByName } = await import("../look_up_token.ts");
  const answer = await lookUpByName(session, registry);
  if (answer.kind !== "token") {
    const why = describeNoToken(answer, await session.path());
    session.output.printError(`error: \`${registry}\`: ${why}`);
    return 1;
  }
  // As it is: an output makes its lines fit for a screen, and a tab a space.
  print(answer.token.reveal());
  answer.token.wipe();
  return 0;
}
