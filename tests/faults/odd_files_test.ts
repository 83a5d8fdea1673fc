// Whatever lies where the credentials file should: a `get` answers in time,
// from the store if that has the token, and nothing is done to it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import { ALT, kindOf, Scene, type SceneRun, tokenOf } from "./_scene.ts";

const TOKEN = "the-token-6f1d";
const NEW = "the-newer-token-22";
const FILE = `[registries.alt]\ntoken = "${TOKEN}"\n`;

/** The deadline is the program's own, and the limit far above it. */
const IN_TIME: SceneRun = {
  env: { CARGO_CREDENTIAL_KEYRING_TIMEOUT: "3" },
  limit: 15_000,
};

interface OddFile {
  readonly name: string;
  /** Puts it there. */
  readonly make: (path: string) => Promise<unknown>;
}

const ODD_FILES: readonly OddFile[] = [
  {
    name: "a FIFO",
    make: (path) => run(["/usr/bin/mkfifo", path], { env: {} }),
  },
  { name: "a directory", make: (path) => Deno.mkdir(path) },
  {
    name: "a dangling link",
    make: (path) => Deno.symlink("/nonexistent/credentials", path),
  },
  { name: "a link to itself", make: (path) => Deno.symlink(path, path) },
  {
    name: "a link to a FIFO",
    make: async (path) => {
      await run(["/usr/bin/mkfifo", `${path}.pipe`], { env: {} });
      await Deno.symlink(`${path}.pipe`, path);
    },
  },
  { name: "a device", make: (path) => Deno.symlink("/dev/zero", path) },
  {
    name: "bytes that are no UTF-8",
    make: (path) => Deno.writeFile(path, new Uint8Array([0xff, 0x00, 0xfe])),
  },
  {
    name: "no TOML",
    make: (path) => Deno.writeTextFile(path, `${FILE}[registries\n`),
  },
];

/** What `lstat` says of it, as far as it should not change. */
async function look(path: string): Promise<unknown> {
  const { isFile, isDirectory, isSymlink, isFifo, size, ino } = await Deno
    .lstat(path);
  return { isFile, isDirectory, isSymlink, isFifo, size, ino };
}

if (Deno.build.os === "linux") {
  for (const file of ["credentials.toml", "credentials"]) {
    Deno.test(`get, login and logout end in time whatever \`${file}\` is`, async (t) => {
      await using scene = await Scene.create();
      const path = `${scene.home.cargoHome}/${file}`;
      for (const { name, make } of ODD_FILES) {
        await t.step(name, async () => {
          await scene.reset(undefined);
          await make(path);
          const before = await look(path);

          const absent = await scene.ask("get", ALT, IN_TIME);
          assertEquals(kindOf(absent), "not-found", absent.stderr);

          await scene.store(ALT, TOKEN);
          const found = await scene.ask("get", ALT, IN_TIME);
          assertEquals(tokenOf(found), TOKEN, found.stderr);

          const login = await scene.ask("login", ALT, {
            ...IN_TIME,
            token: NEW,
          });
          assertEquals(kindOf(login), "Ok", JSON.stringify(login.answers));
          assertEquals(await scene.stored(ALT), [NEW]);

          const logout = await scene.ask("logout", ALT, IN_TIME);
          assertEquals(kindOf(logout), "Ok", JSON.stringify(logout.answers));
          assertEquals(await scene.stored(ALT), []);

          assertEquals(await look(path), before);
        });
      }
    });
  }

  Deno.test("a file without read permission keeps nobody from the store", async () => {
    await using scene = await Scene.create();
    await scene.reset(FILE);
    await scene.store(ALT, TOKEN);
    await Deno.chmod(scene.credentialsPath, 0);
    const request = JSON.stringify({
      v: 1,
      registry: { "index-url": ALT.indexUrl, name: "alt" },
      kind: "get",
      operation: "read",
    });
    const { code, stdout, stderr } = await run(
      [...await withoutPrivileges(), scene.home.provider, "--cargo-plugin"],
      { env: scene.home.env, stdin: `${request}\n`, limit: 15_000 },
    );
    assertEquals(code, 0, stderr);
    assertMatch(stdout, new RegExp(`"token":"${TOKEN}"`));
    assertEquals((await Deno.stat(scene.credentialsPath)).mode, 0o100000);
  });

  Deno.test("a file that somebody else keeps locked", async (t) => {
    await using scene = await Scene.create();
    const locked = async (
      step: string,
      stored: boolean,
      test: () => Promise<void>,
    ): Promise<void> => {
      await t.step(step, async () => {
        await scene.reset(FILE);
        if (stored) await scene.store(ALT, TOKEN);
        using file = await Deno.open(scene.credentialsPath, { read: true });
        await file.lock(true);
        await test();
        if (step !== "logout") {
          assertEquals(await scene.home.credentials(), FILE);
        }
      });
    };

    await locked("get answers from the file, in silence", false, async () => {
      const result = await scene.ask("get", ALT, IN_TIME);
      assertEquals(tokenOf(result), TOKEN);
      assertEquals(result.stderr, "");
      assertEquals(await scene.stored(ALT), []);
    });
    await locked("get answers from the store", true, async () => {
      const result = await scene.ask("get", ALT, IN_TIME);
      assertEquals(tokenOf(result), TOKEN, result.stderr);
    });
    await locked("login stores nothing, and says why", false, async () => {
      const result = await scene.ask("login", ALT, { ...IN_TIME, token: NEW });
      assertEquals(kindOf(result), "other");
      assertMatch(result.stdout, /another program is writing/);
      assert(!result.stdout.includes(NEW));
      assertEquals(await scene.stored(ALT), []);
    });
    await locked("logout erases what is stored", true, async () => {
      await scene.ask("logout", ALT, IN_TIME);
      assertEquals(await scene.stored(ALT), []);
    });
    await locked("migrate and restore say that it is busy", true, async () => {
      for (const command of ["migrate", "restore"]) {
        const { code, stdout } = await scene.command(
          [command, "--registry", "alt"],
          IN_TIME,
        );
        assertEquals(code, 1);
        assertMatch(stdout, /another program/);
        assertEquals(await scene.stored(ALT), [TOKEN]);
      }
    });
  });
}

/** Root reads every file, unless it is run without that capability. */
async function withoutPrivileges(): Promise<[] | [string, string]> {
  if (Deno.uid() !== 0) return [];
  const setpriv = await findProgram("setpriv") ??
    missing("setpriv", "apt-get install util-linux");
  return [setpriv, "--bounding-set=-dac_override,-dac_read_search"];
}
