import { object } from "@optique/core/constructs";
import { message, optionName } from "@optique/core/message";
import { map, optional } from "@optique/core/modifiers";
import type { InferValue } from "@optique/core/parser";
import { command, option } from "@optique/core/primitives";
import type { Run } from "../command.ts";
import { examples, json } from "../options.ts";
import { registryName } from "../registry_name.ts";
import type { RegistryView } from "../../tokens/inventory.ts";
import type { CommandSession } from "../session.ts";

const options = object({
  registry: optional(option("--registry", registryName, {
    description: message`Only this registry; the exit status answers for it`,
  })),
  json,
});

/** What `status` was asked. */
export type StatusArguments = InferValue<typeof options>;

export const parser = map(
  command("status", options, {
    brief: message`Show where the token of every registry is`,
    description:
      message`Shows where the token of every registry is, which providers cargo asks for it, and what to do next. No dialog opens. With ${
        optionName("--registry")
      } it ends with 0 if cargo would get a token, 3 if there is none, and 4 if that cannot be told without a dialog or a store that answers.`,
    footer: examples("status", "status --registry crates-io --json"),
  }),
  (args): Run => (session) => run(args, session),
);

/** What `--registry` ends with. */
const STATUS: Readonly<Record<RegistryView["answer"], number>> = {
  token: 0,
  none: 3,
  unknown: 4,
};

/** Shows where every token is, and never a token. */
export async function run(
  { registry, json }: StatusArguments,
  session: CommandSession,
): Promise<number> {
  const { takeInventory } = await import("../../tokens/inventory.ts");
  const { statusJson, statusRows, storeLine } = await import(
    "../status_report.ts"
  );
  const overview = await takeInventory(session, registry);
  const { output } = session;
  if (json) {
    const { jsonLine } = await import("../report.ts");
    output.print(jsonLine(statusJson(overview)));
  } else {
    output.printRows(statusRows(overview));
    output.printRows([[""], [storeLine(overview.store)]]);
  }
  return registry === undefined
    ? 0
    : STATUS[overview.registries[0]?.answer ?? "none"];
}
