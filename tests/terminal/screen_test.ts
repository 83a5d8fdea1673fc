import { assertEquals } from "@std/assert";
import { screenOf } from "../../src/terminal/screen.ts";

const TERMINAL = { isTerminal: true, columns: 100 };
const PIPE = { isTerminal: false, columns: undefined };

Deno.test("screenOf() decides on colours", async (t) => {
  const cases: readonly [string, Record<string, string>, boolean, boolean][] = [
    // the environment, on a terminal, in a pipe
    ["nothing is said", {}, true, false],
    ["a terminal without colours", { TERM: "dumb" }, false, false],
    ["NO_COLOR", { NO_COLOR: "1" }, false, false],
    ["NO_COLOR, empty", { NO_COLOR: "" }, true, false],
    ["CLICOLOR_FORCE", { CLICOLOR_FORCE: "1", TERM: "dumb" }, true, true],
    ["CLICOLOR_FORCE=0", { CLICOLOR_FORCE: "0" }, true, false],
    ["both", { NO_COLOR: "1", CLICOLOR_FORCE: "1" }, false, false],
    ["cargo always", { CARGO_TERM_COLOR: "always" }, true, true],
    ["cargo never", { CARGO_TERM_COLOR: "never" }, false, false],
    ["cargo auto", { CARGO_TERM_COLOR: "auto" }, true, false],
  ];
  for (const [name, env, terminal, pipe] of cases) {
    await t.step(name, () => {
      assertEquals(screenOf({ env, ...TERMINAL }).color, terminal);
      assertEquals(screenOf({ env, ...PIPE }).color, pipe);
    });
  }
});

Deno.test("screenOf() takes the terminal's width, within reason", () => {
  const width = (columns: number | undefined, isTerminal = true) =>
    screenOf({ env: {}, isTerminal, columns }).width;
  assertEquals(width(100), 100);
  assertEquals(width(20), 40);
  assertEquals(width(900), 200);
  assertEquals(width(0), 80);
  assertEquals(width(undefined), 80);
  assertEquals(width(100, false), undefined);
});
