import { message, text } from "@optique/core/message";
import type { Suggestion } from "@optique/core/parser";
import { string, type ValueParser } from "@optique/core/valueparser";
import { printable } from "../base/printable.ts";
import { CRATES_IO_NAME } from "../cargo/registries.ts";
import { configuredNames, registryIndex } from "../cargo/registry_index.ts";
import { CommandSession } from "./session.ts";

/**
 * The name of a registry. A shell completes it to those that cargo's
 * configuration has.
 */
export const registryName: ValueParser<"async", string> = {
  ...string({ metavar: "NAME" }),
  mode: "async",
  parse: (input) => Promise.resolve({ success: true, value: input }),
  suggest: suggestNames,
};

async function* suggestNames(prefix: string): AsyncGenerator<Suggestion> {
  for (const [name, url] of await knownNames()) {
    if (!name.startsWith(prefix) || printable(name) !== name) continue;
    yield {
      kind: "literal",
      text: name,
      description: message`${text(printable(url))}`,
    };
  }
}

/** Names and what they mean; none where that cannot be found out. */
async function knownNames(): Promise<readonly (readonly [string, string])[]> {
  try {
    const session = new CommandSession();
    const layers = await session.config();
    const names = configuredNames(layers).map((name) =>
      [name, registryIndex(layers, session.cwd(), name)?.url ?? ""] as const
    );
    return [[CRATES_IO_NAME, "https://crates.io"], ...names];
  } catch {
    return []; // a completion says nothing of what is wrong
  }
}
