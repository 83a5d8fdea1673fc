// SIGKILL during `setup` and `setup --undo`: cargo's configuration is the old
// one or the new one, and what was cut short can be done again.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { findCopy } from "../../src/cli/setup/program_copy.ts";
import { loadTomlParser } from "../../src/toml/document.ts";
import { PROGRAM_VARIABLE, programUnderTest } from "../support/program.ts";
import { killAtEach, killEverywhere, type Victim } from "./_kill.ts";
import { Scene } from "./_scene.ts";

const NAME = "cargo-credential-keyring";

/** Longer than a page, so that a file cut short would show. */
const BEFORE = `${"# mine: nothing much\n".repeat(300)}[registry]
global-credential-providers = ["cargo:token", "cargo:libsecret"] # both
default = "corp"

[registries.corp]
index = "sparse+https://corp.example/index/"
credential-provider = "cargo:libsecret"
`;

/** What cargo would take for a part of its configuration. */
const READ_BY_CARGO = /^(?:config|credentials)(?:\.toml)?$/;

/** The configuration; `undefined` without one. It parses, and is alone. */
async function configOf({ home }: Scene): Promise<string | undefined> {
  const names = [...Deno.readDirSync(home.cargoHome)].map(({ name }) => name)
    .filter((name) => READ_BY_CARGO.test(name));
  if (names.length === 0) return undefined;
  assertEquals(names, ["config.toml"]);
  const text = await Deno.readTextFile(`${home.cargoHome}/config.toml`);
  const { values } = await loadTomlParser();
  values(text);
  return text;
}

async function resetConfig(
  scene: Scene,
  text: string | undefined,
): Promise<void> {
  const { cargoHome } = scene.home;
  await Deno.remove(`${cargoHome}/bin`, { recursive: true }).catch(() => {});
  await scene.reset(undefined);
  await Deno.mkdir(`${cargoHome}/bin`);
  // Nothing has to be copied.
  const program = await programUnderTest(scene.home.root);
  await Deno.symlink(program, `${cargoHome}/bin/${NAME}`);
  await Deno.remove(`${cargoHome}/config.toml`).catch(() => {});
  if (text === undefined) return;
  await Deno.writeTextFile(`${cargoHome}/config.toml`, text);
}

if (Deno.build.os === "linux") {
  for (const before of [BEFORE, undefined]) {
    const what = before === undefined ? "no configuration" : "a configuration";
    Deno.test(`setup and its undoing, killed, leave the old file or the new one: ${what}`, async (t) => {
      await using scene = await Scene.create();
      const setup = (...args: string[]) =>
        scene.command(["setup", "--yes", ...args]);
      await resetConfig(scene, before);
      const { code, stderr } = await setup();
      assertEquals(code, 0, stderr);
      const after = await configOf(scene);
      assertStringIncludes(after ?? "", `/bin/${NAME}"`);
      const undone = before ?? "";

      const victim = (
        args: readonly string[],
        from: string | undefined,
        to: string | undefined,
      ): Victim => ({
        reset: () => resetConfig(scene, from),
        run: (rules) => scene.command(["setup", "--yes", ...args], { rules }),
        afterKill: async () => {
          const text = await configOf(scene);
          assert(text === from || text === to, text);
          const again = await setup(...args);
          assertEquals(again.code, 0, again.stderr);
          assertEquals(await configOf(scene), to);
          const names = [...Deno.readDirSync(scene.home.cargoHome)]
            .map(({ name }) => name);
          assert(!names.some((name) => name.endsWith("-new")), names.join());
        },
        afterRun: async ({ code, stderr }) => {
          assertEquals(code, 0, stderr);
          assertEquals(await configOf(scene), to);
        },
      });
      for (
        const [name, each] of [
          ["setup", victim([], before, after)],
          ["undo", victim(["--undo"], after, undone)],
        ] as const
      ) {
        await t.step(name, async () => {
          const points = await killEverywhere(scene, each, []);
          const kinds = points.filter(({ name }) =>
            name.startsWith("config.toml")
          ).map(({ kind }) => kind);
          // What is to be empty is not written.
          const isEmpty = name === "undo" && undone === "";
          for (
            const kind of [
              "file.open",
              ...isEmpty ? [] : ["file.write"],
              "file.sync",
              "file.rename",
            ]
          ) assert(kinds.includes(kind), kind);
          await killAtEach(scene, each, {
            action: "kill-after",
            kind: "file.rename",
          });
        });
      }
    });
  }

  Deno.test({
    name:
      "setup, killed while it copies the program, leaves none or a whole one, which --undo removes",
    // A launcher is never copied.
    ignore: !Deno.env.has(PROGRAM_VARIABLE),
    fn: async () => {
      await using scene = await Scene.create();
      const { cargoHome, root } = scene.home;
      const installed = `${cargoHome}/bin/${NAME}`;
      const size = (await Deno.stat(await programUnderTest(root))).size;
      const undo = async (): Promise<void> => {
        const { code, stdout, stderr } = await scene.command(
          ["setup", "--yes", "--undo"],
        );
        assertEquals(code, 0, stderr);
        const { origin } = await findCopy(cargoHome);
        assertEquals(origin, "absent", stdout);
        assertEquals(await configOf(scene), BEFORE);
      };
      const victim: Victim = {
        reset: async () => {
          await resetConfig(scene, BEFORE);
          await Deno.remove(installed);
        },
        run: (rules) => scene.command(["setup", "--yes"], { rules }),
        afterKill: async () => {
          const { origin } = await findCopy(cargoHome);
          if (origin === "absent") {
            // Cargo has not been told of it.
            assertEquals(await configOf(scene), BEFORE);
          } else {
            assertEquals(origin, "setup");
            assertEquals((await Deno.stat(installed)).size, size);
          }
          await undo();
        },
        afterRun: async ({ code, stderr }) => {
          assertEquals(code, 0, stderr);
          assertEquals((await findCopy(cargoHome)).origin, "setup");
          await undo();
        },
      };
      // It is written in a thousand pieces: all else, and one of them.
      const points = await killAtEach(scene, victim, {
        action: "kill",
        kind: "file.[!w]*",
      });
      assert(points.some(({ name }) => name === `bin/${NAME}`), "renamed");
      const name = `bin/${NAME}*`;
      const write = { action: "kill", kind: "file.write", name } as const;
      await victim.reset();
      await victim.run([{ ...write, nth: 100 }]);
      await scene.shim.takeLog();
      await victim.afterKill();
    },
  });
}
