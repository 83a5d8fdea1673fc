import type { Suggestion } from "@optique/core/parser";
import { string, type ValueParser } from "@optique/core/valueparser";

/** The name of a file, which a shell completes by itself. */
export const fileName: ValueParser<"sync", string> = {
  ...string({ metavar: "FILE" }),
  *suggest(prefix): Iterable<Suggestion> {
    yield { kind: "file", type: "file", pattern: prefix };
  },
};
