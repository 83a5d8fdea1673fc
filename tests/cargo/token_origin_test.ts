import { assert, assertEquals } from "@std/assert";
import { Secret } from "../../src/base/secret.ts";
import { describeOrigin, tokenOrigin } from "../../src/cargo/token_origin.ts";

/** The token, what it is for crates.io, and what for another registry. */
const TOKENS: readonly (readonly [string, string, string])[] = [
  [`cio${"a".repeat(32)}`, "fine", "fine"],
  [`cio${"a".repeat(31)}`, "incomplete", "fine"],
  // Before crates.io gave its tokens a prefix.
  ["a".repeat(32), "fine", "fine"],
  ["cio_tp_abc", "short-lived", "short-lived"],
  ["ghp_abc", "GitHub", "fine"],
  ["github_pat_abc", "GitHub", "fine"],
  ["npm_abc", "npm", "fine"],
  ["xghp_abc", "fine", "fine"],
  ["ghp", "fine", "fine"],
  ["Bearer ghp_abc", "fine", "fine"],
  ["", "fine", "fine"],
];

for (const [text, atCratesIo, elsewhere] of TOKENS) {
  Deno.test(`tokenOrigin() knows ${JSON.stringify(text)} by its prefix`, () => {
    for (
      const [isCratesIo, what] of [[true, atCratesIo], [
        false,
        elsewhere,
      ]] as const
    ) {
      const origin = tokenOrigin(Secret.fromString(text), isCratesIo);
      const found = origin === undefined
        ? "fine"
        : origin.kind === "foreign"
        ? origin.site
        : origin.kind;
      assertEquals(found, what);
      if (origin !== undefined) assert(!describeOrigin(origin).includes(text));
    }
  });
}
