import { assertEquals } from "@std/assert";
import { displayWidth } from "../../src/terminal/display_width.ts";

Deno.test("displayWidth() counts columns", async (t) => {
  const cases: readonly [string, number][] = [
    ["", 0],
    ["crates-io", 9],
    ["天地", 4],
    ["ｆｕｌｌ", 8],
    ["e\u0301", 1],
    ["가", 2],
    ["\u1100\u1161\u11a8", 2], // the same in three letters
    ["🦀", 2],
    ["a\u200bb", 2],
  ];
  for (const [text, width] of cases) {
    await t.step(
      JSON.stringify(text),
      () => assertEquals(displayWidth(text), width),
    );
  }
});
