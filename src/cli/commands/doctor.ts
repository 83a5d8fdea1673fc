import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import type { Run } from "../command.ts";
import { json } from "../options.ts";
import type { CommandSession } from "../session.ts";

export const parser = map(
  command("doctor", object({ json }), {
    brief: message`Find out what is wrong, and how to put it right`,
    description:
      message`Looks at the store, at cargo's configuration, at the environment and at every file that tokens are in. Each finding says what it is, why it matters, and the command that puts it right. No dialog opens, no other program is started, and nothing is changed. It ends with 1 if something serious was found.`,
    footer: message`Example: ${
      commandLine("cargo-credential-keyring doctor --json")
    }`,
  }),
  (args): Run => (session) => run(args, session),
);

/** Says what is wrong; 1: something serious is. */
export async function run(
  { json }: { readonly json: boolean },
  session: CommandSession,
): Promise<number> {
  const { gatherFacts } = await import("../../doctor/facts.ts");
  const { findings } = await import("../../doctor/findings.ts");
  const { doctorJson, doctorRows } = await import("../../doctor/report.ts");
  const facts = await gatherFacts(session);
  const found = findings(facts);
  const { output } = session;
  if (json) {
    const { jsonLine } = await import("../report.ts");
    output.print(jsonLine(doctorJson(found, facts.overview?.store)));
  } else {
    output.printRows(doctorRows(found));
  }
  return found.some(({ severity }) => severity === "serious") ? 1 : 0;
}
