import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Run } from "../command.ts";

export const parser = map(
  command("man", object({}), {
    brief: message`Print the manual page`,
    description:
      message`Prints the manual page on standard output, as source for man.`,
    footer: message`Example: ${
      commandLine("cargo-credential-keyring man | man -l -")
    }`,
  }),
  (): Run => async (session) => {
    const { programManPage } = await import("../program_man_page.ts");
    session.output.print(...await programManPage(session.env));
    return 0;
  },
);
