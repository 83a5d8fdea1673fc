import { assertEquals } from "@std/assert";
import { Session } from "../../src/tokens/session.ts";

/** A session with these signs of a person, and how often it looks for one. */
function session(
  signs: { stderrIsTerminal: boolean; canAsk: boolean; ci?: string },
): { session: Session; looked: () => number } {
  let looked = 0;
  return {
    session: new Session({
      env: signs.ci === undefined ? {} : { CI: signs.ci },
      stderrIsTerminal: () => signs.stderrIsTerminal,
      openTerminal: () => {
        looked++;
        return Promise.resolve({
          stderrIsTerminal: signs.stderrIsTerminal,
          canAsk: signs.canAsk,
          prompt: () => Promise.resolve({ kind: "end-of-input" }),
        });
      },
    }),
    looked: () => looked,
  };
}

Deno.test("isPersonPresent() needs a terminal, the foreground and no CI", async () => {
  for (const stderrIsTerminal of [false, true]) {
    for (const canAsk of [false, true]) {
      for (
        const [ci, automatic] of [
          [undefined, false],
          ["false", false],
          ["true", true],
        ] as const
      ) {
        const signs = {
          stderrIsTerminal,
          canAsk,
          ...(ci === undefined ? {} : { ci }),
        };
        assertEquals(
          await session(signs).session.isPersonPresent(),
          stderrIsTerminal && canAsk && !automatic,
          JSON.stringify(signs),
        );
      }
    }
  }
});

Deno.test("isPersonPresent() opens a terminal only if it must, and once", async () => {
  const looked = async (stderrIsTerminal: boolean, ci?: string) => {
    const { session: asked, looked } = session({
      stderrIsTerminal,
      canAsk: true,
      ...(ci === undefined ? {} : { ci }),
    });
    await asked.isPersonPresent();
    await asked.isPersonPresent();
    return looked();
  };
  assertEquals(await looked(false), 0);
  assertEquals(await looked(true, "true"), 0);
  assertEquals(await looked(true), 1);
});
