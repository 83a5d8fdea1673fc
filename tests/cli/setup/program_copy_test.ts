import { assertEquals, assertStringIncludes } from "@std/assert";
import {
  type CopyFacts,
  decideCopy,
  findCopy,
  type KeptBecause,
  rememberCopy,
  removeCopy,
} from "../../../src/cli/setup/program_copy.ts";
import {
  copyProgram,
  installedProgram,
} from "../../../src/cli/setup/own_program.ts";

/** An empty cargo home, and a program outside of it. */
async function withHome(
  test: (
    places: { home: string; from: string; installed: string },
  ) => Promise<void>,
): Promise<void> {
  const root = await Deno.makeTempDir();
  try {
    const home = `${root}/.cargo`;
    await Deno.mkdir(`${home}/bin`, { recursive: true });
    await Deno.writeTextFile(`${root}/download`, "one");
    const installed = installedProgram(home);
    await test({ home, from: `${root}/download`, installed });
  } finally {
    await Deno.remove(root, { recursive: true });
  }
}

async function originIn(home: string): Promise<string> {
  return (await findCopy(home)).origin;
}

Deno.test("decideCopy() removes nothing but a copy of setup's that nothing needs", () => {
  const GOES: CopyFacts = {
    origin: "setup",
    isAsked: false,
    isNeeded: false,
    isHeld: false,
  };
  const CASES: readonly (readonly [
    Partial<CopyFacts>,
    KeptBecause | undefined,
  ])[] = [
    [{}, undefined],
    [{ origin: "absent" }, "not-from-setup"],
    [{ origin: "other" }, "not-from-setup"],
    [{ origin: "other", isNeeded: true }, "not-from-setup"],
    [{ isAsked: true, isNeeded: true }, "still-asked"],
    [{ isNeeded: true, isHeld: true }, "needed"],
    [{ isHeld: true }, "running"],
  ];
  for (const [facts, kept] of CASES) {
    assertEquals(decideCopy({ ...GOES, ...facts }), kept);
  }
});

Deno.test("every reason to leave the program is documented", async () => {
  const documentation = await Deno.readTextFile(
    new URL("../../../docs/json.md", import.meta.url),
  );
  const REASONS: Readonly<Record<KeptBecause, true>> = {
    "not-from-setup": true,
    "still-asked": true,
    "needed": true,
    "running": true,
    "cannot-be-removed": true,
  };
  for (const reason of Object.keys(REASONS)) {
    assertStringIncludes(documentation, `| \`${reason}\` `);
  }
});

Deno.test("findCopy() knows what setup has copied, and its next version", () =>
  withHome(async ({ home, from, installed }) => {
    assertEquals(await originIn(home), "absent");
    for (const version of ["one", "two"]) {
      await Deno.writeTextFile(from, version);
      await rememberCopy(home, from);
      await copyProgram(from, installed);
      assertEquals(await originIn(home), "setup");
    }
    assertEquals(await removeCopy(home), true);
    assertEquals([...Deno.readDirSync(home)].map(({ name }) => name), ["bin"]);
    assertEquals([...Deno.readDirSync(`${home}/bin`)], []);
    assertEquals(await removeCopy(home), false);
  }));

Deno.test("findCopy() takes nothing for setup's that somebody else has put there", async (t) => {
  await t.step(
    "before setup",
    () =>
      withHome(async ({ home, from, installed }) => {
        await Deno.writeTextFile(installed, "an installer's");
        await rememberCopy(home, from);
        await copyProgram(from, installed);
        assertEquals(await originIn(home), "other");
      }),
  );
  await t.step(
    "after setup, and setup again",
    () =>
      withHome(async ({ home, from, installed }) => {
        await rememberCopy(home, from);
        await copyProgram(from, installed);
        await Deno.writeTextFile(installed, "an installer's");
        assertEquals(await originIn(home), "other");
        await rememberCopy(home, from);
        await copyProgram(from, installed);
        assertEquals(await originIn(home), "other");
      }),
  );
  if (Deno.build.os === "windows") return;
  await t.step("a link", () =>
    withHome(async ({ home, from, installed }) => {
      await rememberCopy(home, from);
      await Deno.symlink(from, installed);
      assertEquals(await originIn(home), "other");
    }));
});
