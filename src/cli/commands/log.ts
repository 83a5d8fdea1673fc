import { object } from "@optique/core/constructs";
import { commandLine, message } from "@optique/core/message";
import { map } from "@optique/core/modifiers";
import { command } from "@optique/core/primitives";
import { CRATES_IO_INDEX } from "../../cargo/registries.ts";
import { readRecord, type RecordEntry } from "../../record/record.ts";
import { USER_FILE_NAME } from "../../settings/places.ts";
import type { Run } from "../command.ts";
import { json, registry } from "../options.ts";
import type { CommandSession } from "../session.ts";

export const parser = map(
  command("log", object({ registry, json }), {
    brief: message`Show what tokens were handed over for`,
    description:
      message`Shows when a token was handed over, of which registry, for what, and in which folder. It is written down where the setting ${
        commandLine('record = "on"')
      } holds; no token is in it.`,
    footer: message`Example: ${
      commandLine("cargo-credential-keyring log --registry crates-io")
    }`,
  }),
  (args): Run => (session) => run(args, session),
);

/** What is to be shown. */
export interface LogArgs {
  readonly registry: readonly string[];
  readonly json: boolean;
}

/** Shows the record, the oldest entry first. */
export async function run(
  args: LogArgs,
  session: CommandSession,
): Promise<number> {
  const home = await session.home();
  const entries = readRecord(home).filter(({ registry }) =>
    args.registry.length === 0 ||
    (registry !== null && args.registry.includes(registry))
  );
  if (args.json) {
    session.output.print(JSON.stringify({ entries }));
    return 0;
  }
  session.output.printRows(entries.map(row));
  const { settings } = await session.storeOf(
    { indexUrl: CRATES_IO_INDEX },
    false,
  );
  if (settings.record === "off") {
    session.output.printError(
      'note: nothing is being recorded; `record = "on"` in ' +
        `${home}/${USER_FILE_NAME} begins it`,
    );
  }
  return 0;
}

function row(entry: RecordEntry): readonly string[] {
  const { crate, version, cksum } = entry;
  const what = [
    entry.outcome === "refused" ? "refused:" : "",
    entry.operation,
    crate ?? "",
    version ?? "",
    cksum === null ? "" : `(sha256 ${cksum}…)`,
  ].filter((word) => word !== "").join(" ");
  return [
    entry.time.replace(/\.\d+Z$/, "Z"),
    entry.registry ?? entry.index_url,
    what,
    entry.directory,
  ];
}
