// SIGKILL during login, logout, `migrate` and `restore`: the token is always
// somewhere, the newer one wins, and what was cut short can be done again.

import { assert, assertEquals } from "@std/assert";
import { FORMS, TOKEN } from "./_forms.ts";
import { killEverywhere, type Victim } from "./_kill.ts";
import {
  assertMoved,
  assertNothingLost,
  migration,
  othersIn,
  tokenIn,
} from "./_migration.ts";
import { restoration } from "./_restoration.ts";
import { ALT, Scene, tokenOf } from "./_scene.ts";

const NEW = "the-newer-token-22";

/** The messages to the keyring that ask or change something. */
const MESSAGES = ["SearchItems", "CreateItem", "GetSecrets", "Delete"];

const [FIRST] = FORMS;
assert(FIRST !== undefined);
/** The token, with others around it. */
const FORM = FIRST;
/** The others alone. */
const WITHOUT = FORM.text.replace(/^token = "the-token.*\n/m, "");

async function fileOf(
  scene: Scene,
): Promise<{ readonly text: string; readonly token: unknown }> {
  const text = await scene.home.credentials() ?? "";
  assertEquals(othersIn(text, FORM), othersIn(FORM.text, FORM));
  return { text, token: tokenIn(text, FORM) };
}

/** Nothing of a token is left, in a comment for instance. */
async function assertNowhere(scene: Scene, token: string): Promise<void> {
  const { text } = await fileOf(scene);
  assert(!text.includes(token), text);
  assert(!(await scene.stored(ALT)).includes(token), `${token} is stored`);
}

/**
 * A login over an older token.
 *
 * @param stored Whether the store has the older one, too.
 */
function loginOver(scene: Scene, stored: boolean): Victim {
  const done = async (): Promise<void> => {
    const result = await scene.ask("get", ALT);
    assertEquals(tokenOf(result), NEW, result.stderr);
    assertEquals(await scene.stored(ALT), [NEW]);
    await assertNowhere(scene, TOKEN);
  };
  return {
    reset: async () => {
      await scene.reset(FORM.text);
      if (stored) await scene.store(ALT, TOKEN);
    },
    run: (rules) => scene.ask("login", ALT, { token: NEW, rules }),
    afterKill: async () => {
      const [secret, ...more] = await scene.stored(ALT);
      assertEquals(more, []);
      const { token } = await fileOf(scene);
      assert(token === TOKEN || (token === undefined && secret === NEW));
      if (secret === NEW) return await done();
      // It has not come to storing: the older one is still good.
      const result = await scene.ask("get", ALT);
      assertEquals(tokenOf(result), TOKEN, result.stderr);
      await assertMoved(scene, FORM);
    },
    afterRun: async ({ code, stdout, stderr }) => {
      assertEquals(code, 0, stderr);
      assert(stdout.includes('"login"'), stdout);
      await assertNowhere(scene, TOKEN);
      await done();
    },
  };
}

/** A login where store and file have two different tokens already. */
function loginOverConflict(scene: Scene): Victim {
  const older = "the-token-of-the-store-33";
  const answer = async (): Promise<string | undefined> =>
    tokenOf(await scene.ask("get", ALT));
  return {
    reset: async () => {
      await scene.reset(FORM.text);
      await scene.store(ALT, older);
    },
    run: (rules) => scene.ask("login", ALT, { token: NEW, rules }),
    afterKill: async () => {
      const [secret, ...more] = await scene.stored(ALT);
      assertEquals(more, []);
      const { token } = await fileOf(scene);
      assert(secret === older || secret === NEW, secret);
      assert(token === TOKEN || (token === undefined && secret === NEW));
      // The file wins, as before, until the new one is known to be meant.
      const answered = await answer();
      if (answered === TOKEN) {
        assertEquals((await fileOf(scene)).token, TOKEN);
        assertEquals(await scene.stored(ALT), [secret]);
      } else {
        assertEquals([answered, secret], [NEW, NEW]);
        await assertNowhere(scene, TOKEN);
      }
    },
    afterRun: async ({ code, stderr }) => {
      assertEquals(code, 0, stderr);
      assertEquals(await answer(), NEW);
      await assertNowhere(scene, TOKEN);
    },
  };
}

/** @param place Where the token is. */
function logout(
  scene: Scene,
  place: "file" | "store" | "both",
): Victim {
  return {
    reset: async () => {
      await scene.reset(place === "store" ? WITHOUT : FORM.text);
      if (place !== "file") await scene.store(ALT, TOKEN);
    },
    run: (rules) => scene.ask("logout", ALT, { rules }),
    afterKill: async () => {
      // Either it has happened, or it has not.
      const result = await scene.ask("get", ALT);
      const answered = tokenOf(result);
      if (answered === undefined) {
        await assertNowhere(scene, TOKEN);
      } else {
        assertEquals(answered, TOKEN);
        const { text, token } = await fileOf(scene);
        assertEquals(token, undefined);
        assert(!text.includes(TOKEN));
        assertEquals(await scene.stored(ALT), [TOKEN]);
      }
      await scene.ask("logout", ALT);
      await assertNowhere(scene, TOKEN);
    },
    afterRun: async ({ code, stdout, stderr }) => {
      assertEquals(code, 0, stderr);
      assert(stdout.includes('"logout"'), stdout);
      await assertNowhere(scene, TOKEN);
      assertEquals(tokenOf(await scene.ask("get", ALT)), undefined);
    },
  };
}

function migrate(scene: Scene): Victim {
  const run: Victim["run"] = (rules) =>
    scene.command(["migrate", "--registry", "alt"], { rules });
  return {
    ...migration(scene, FORM),
    run,
    afterKill: async () => {
      await assertNothingLost(scene, FORM);
      const result = await run([]);
      assertEquals(result.code, 0, result.stderr);
      await scene.shim.takeLog();
      await assertMoved(scene, FORM);
    },
    afterRun: async ({ code, stderr }) => {
      assertEquals(code, 0, stderr);
      await assertMoved(scene, FORM);
    },
  };
}

async function kill(
  victim: (scene: Scene) => Victim,
  atLeast: number,
): Promise<void> {
  await using scene = await Scene.create();
  const points = await killEverywhere(scene, victim(scene), MESSAGES);
  assert(points.length >= atLeast, `only ${points.length} points`);
}

if (Deno.build.os === "linux") {
  Deno.test("a login over an older token is killed", () =>
    kill((scene) => loginOver(scene, false), 15));
  Deno.test("a login over an older token in store and file is killed", () =>
    kill((scene) => loginOver(scene, true), 15));
  Deno.test("a login over two different tokens is killed", () =>
    kill(loginOverConflict, 15));

  for (const place of ["file", "store", "both"] as const) {
    Deno.test(`a logout is killed, token in ${place}`, () =>
      kill((scene) => logout(scene, place), place === "store" ? 5 : 10));
  }

  Deno.test("migrate is killed", () => kill(migrate, 10));

  for (
    const [what, text] of [
      ["a file with other tokens", WITHOUT],
      ["no file", undefined],
    ] as const
  ) {
    Deno.test(`restore is killed: ${what}`, () =>
      kill((scene) => restoration(scene, FORM, text), 10));
  }
}
