import { assertEquals } from "@std/assert";
import { isCi, personIsPresent } from "../../src/terminal/person.ts";

Deno.test("personIsPresent() needs a terminal, the foreground and no CI", () => {
  for (const stderrIsTerminal of [false, true]) {
    for (const canAsk of [false, true]) {
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
      ) {
        const signs = { stderrIsTerminal, canAsk, ci };
        assertEquals(
          personIsPresent(signs),
          stderrIsTerminal && canAsk && !automatic,
          JSON.stringify(signs),
        );
        assertEquals(isCi(ci), automatic, `CI=${ci}`);
      }
    }
  }
});

Deno.test("personIsPresent() looks at the terminal only if it must", () => {
  let looked = 0;
  const signs = {
    get canAsk(): boolean {
      looked++;
      return true;
    },
  };
  const ask = (stderrIsTerminal: boolean, ci?: string): boolean =>
    personIsPresent({
      stderrIsTerminal,
      ci,
      get canAsk() {
        return signs.canAsk;
      },
    });
  ask(false);
  ask(true, "true");
  assertEquals(looked, 0);
  ask(true);
  assertEquals(looked, 1);
});
