// SIGKILL during login, logout, `migrate` and `restore`: the token is always
// somewhere, the newer one wins, and what was cut short can be done again.

import { assert, assertEquals } from "@std/assert";
import { type Form, FORMS, TOKEN } from "./_forms.ts";
import { killEverywhere, type Victim } from "./_kill.ts";
import {
  assertMoved,
  assertNothingLost,
  migration,
  othersIn,
  tokenIn,
} from "./_migration.ts";
import { ALT, Scene, tokenOf } from "./_scene.ts";

const NEW = "the-newer-token-22";

/** The messages to the keyring that ask or change something. */
const MESSAGES = ["SearchItems", "CreateItem", "GetSecrets", "Delete"];

/** The token's form, with others around it. */
function firstForm(): Form {
  const [form] = FORMS;
  assert(form !== undefined);
  return form;
}

async function fileOf(
  scene: Scene,
): Promise<{ readonly text: string; readonly token: unknown }> {
  const form = firstForm();
  const text = await scene.home.credentials() ?? "";
  assertEquals(othersIn(text, form), othersIn(form.text, form));
  return { text, token: tokenIn(text, form) };
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
      await scene.reset(firstForm().text);
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
      await assertMoved(scene, firstForm());
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
      await scene.reset(firstForm().text);
      await scene.store(ALT, older);
    },
    run: (rules) => scene.ask("login", ALT, { token: NEW, rules }),
    afterKill: async () => {
      const [secret, ...more] = await scene.stored(ALT);
      assertEquals(more, []);
      const { token } = await fileOf(scene);
      assert(secret === older || secret === NEW, secret);
      assert(token === TOKEN || (token === undefined && secret === NEW));
      assertEquals(await answer(), secret);
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
  const form = firstForm();
  const without = form.text.replace(/^token = "the-token.*\n/m, "");
  return {
    reset: async () => {
      await scene.reset(place === "store" ? without : form.text);
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
  const form = firstForm();
  const run: Victim["run"] = (rules) =>
    scene.command(["migrate", "--registry", "alt"], { rules });
  return {
    ...migration(scene, form),
    run,
    afterKill: async () => {
      await assertNothingLost(scene, form);
      const result = await run([]);
      assertEquals(result.code, 0, result.stderr);
      await scene.shim.takeLog();
      await assertMoved(scene, form);
    },
    afterRun: async ({ code, stderr }) => {
      assertEquals(code, 0, stderr);
      await assertMoved(scene, form);
    },
  };
}

/** @param text What is in the file; absent: there is no file. */
function restore(scene: Scene, text: string | undefined): Victim {
  const done = async (): Promise<void> => {
    assertEquals(await scene.stored(ALT), []);
    const read = await scene.home.credentials() ?? "";
    assertEquals(tokenIn(read, firstForm()), TOKEN);
    const { mode } = await Deno.stat(scene.credentialsPath);
    assertEquals((mode ?? 0) & 0o777, 0o600);
    // It stays where the user has put it.
    await scene.ask("get", ALT);
    assertEquals(await scene.home.credentials(), read);
    assertEquals(await scene.stored(ALT), []);
  };
  return {
    reset: async () => {
      await scene.reset(text);
      await scene.store(ALT, TOKEN);
    },
    run: (rules) =>
      scene.command(["restore", "--registry", "alt"], {
        rules,
      }),
    afterKill: async () => {
      const stored = await scene.stored(ALT);
      const read = await scene.home.credentials() ?? "";
      const inFile = tokenIn(read, firstForm());
      assertEquals(
        othersIn(read, firstForm()),
        othersIn(text ?? "", firstForm()),
      );
      assert(inFile === TOKEN || stored.includes(TOKEN), "the token is lost");
      const result = await scene.ask("get", ALT);
      if (stored.length > 0) assertEquals(tokenOf(result), TOKEN);
      await scene.command(["restore", "--registry", "alt"]);
      await done();
    },
    afterRun: async ({ code, stderr }) => {
      assertEquals(code, 0, stderr);
      await done();
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
      kill((scene) => logout(scene, place), 10));
  }

  Deno.test("migrate is killed", () => kill(migrate, 10));

  const [form] = FORMS;
  const without = form?.text.replace(/^token = "the-token.*\n/m, "");
  for (
    const [what, text] of [
      ["a file with other tokens", without],
      ["no file", undefined],
    ] as const
  ) {
    Deno.test(`restore is killed: ${what}`, () =>
      kill((scene) => restore(scene, text), 10));
  }
}
