import { assertEquals } from "@std/assert";
import { isCi } from "../../src/terminal/person.ts";

Deno.test("isCi() is what the variable says, and no other word for no", () => {
  for (
    const [ci, automatic] of [
      [undefined, false],
      ["", false],
      ["0", false],
      ["false", false],
      ["False", false],
      ["1", true],
      ["true", true],
      ["no", true],
      ["woodpecker", true],
      [" ", true],
    ] as const
  ) assertEquals(isCi(ci), automatic, `CI=${ci}`);
});
