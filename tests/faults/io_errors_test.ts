// A disk that is full, broken or read-only: the file is as it was, or the
// token is where it should go, and `get` answers in any case.

import { assert, assertEquals, assertMatch } from "@std/assert";
import type { ShimError, ShimRule } from "../support/kill_shim.ts";
import { FORMS, TOKEN } from "./_forms.ts";
import { assertMoved, assertNothingLost } from "./_migration.ts";
import { ALT, kindOf, Scene, tokenOf } from "./_scene.ts";

const ERRORS: readonly ShimError[] = [
  "ENOSPC",
  "EDQUOT",
  "EROFS",
  "EACCES",
  "EIO",
];

const [FIRST] = FORMS;
assert(FIRST !== undefined);
const FORM = FIRST;
const NAME = "credentials.toml";

/** What the reason is called in the line that people read. */
const WORDS: Readonly<Record<string, RegExp>> = {
  ENOSPC: /no space left/,
  EDQUOT: /no space left/,
  EROFS: /read-only/,
  EACCES: /cannot be written/,
  EIO: /device has failed/,
};

/** A `get` with these faults; the scene is set anew. */
async function get(
  scene: Scene,
  rules: readonly ShimRule[],
): ReturnType<Scene["ask"]> {
  await scene.reset(FORM.text);
  const result = await scene.ask("get", ALT, { rules });
  assertEquals(result.code, 0, result.stderr);
  assert(!result.stderr.includes(TOKEN));
  await assertNothingLost(scene, FORM);
  return result;
}

async function assertUntouched(scene: Scene): Promise<void> {
  assertEquals(await scene.home.credentials(), FORM.text);
}

if (Deno.build.os === "linux") {
  Deno.test("a file that cannot be opened for writing is not touched", async (t) => {
    await using scene = await Scene.create();
    for (const error of ERRORS) {
      const rule = {
        action: "fail",
        kind: "file.open",
        name: NAME,
        error,
      } as const;
      await t.step(`${error}, before anything is done`, async () => {
        const result = await get(scene, [{ ...rule, nth: 0 }]);
        // The next provider has it.
        assertEquals(kindOf(result), "not-found");
        assertMatch(result.stderr, /cannot be written/);
        await assertUntouched(scene);
        assertEquals(await scene.stored(ALT), []);
      });
      await t.step(`${error}, when it is locked`, async () => {
        const result = await get(scene, [{ ...rule, nth: 2 }]);
        assertEquals(tokenOf(result), TOKEN, result.stderr);
        assertMatch(result.stderr, WORDS[error] ?? /never/);
        await assertUntouched(scene);
        assertEquals(await scene.stored(ALT), []);
      });
    }
  });

  for (const kind of ["file.write", "file.truncate"] as const) {
    for (const nth of [1, 0]) {
      const often = nth === 0 ? "every" : "one";
      Deno.test(`${often} ${kind} fails: the file is as it was, the token is stored`, async (t) => {
        await using scene = await Scene.create();
        for (const error of ERRORS) {
          await t.step(error, async () => {
            const rule = {
              action: "fail",
              kind,
              name: NAME,
              error,
              nth,
            } as const;
            const result = await get(scene, [rule]);
            assertEquals(tokenOf(result), TOKEN, result.stderr);
            assertMatch(result.stderr, WORDS[error] ?? /never/);
            await assertUntouched(scene);
            assertEquals(await scene.stored(ALT), [TOKEN]);
            // When there is space again, the next one ends it.
            const next = await scene.ask("get", ALT);
            assertEquals(tokenOf(next), TOKEN, next.stderr);
            await assertMoved(scene, FORM);
          });
        }
      });
    }
  }

  Deno.test("what comes after the change cannot undo it", async (t) => {
    await using scene = await Scene.create();
    for (const kind of ["file.sync", "file.chmod"]) {
      await t.step(kind, async () => {
        const rule = { action: "fail", kind, name: NAME, nth: 0 } as const;
        await scene.reset(FORM.text);
        await Deno.chmod(scene.credentialsPath, 0o644);
        const result = await scene.ask("get", ALT, {
          rules: [{ ...rule, error: "EIO" }],
        });
        assertEquals(tokenOf(result), TOKEN, result.stderr);
        await assertMoved(scene, FORM);
      });
    }
  });

  Deno.test("a write that comes up short is gone on with", async (t) => {
    await using scene = await Scene.create();
    const short = (bytes: number): ShimRule => ({
      action: "short",
      kind: "file.write",
      name: NAME,
      bytes,
    });
    for (const bytes of [1, 7]) {
      await t.step(`${bytes} bytes`, async () => {
        const result = await get(scene, [short(bytes)]);
        assertEquals(tokenOf(result), TOKEN, result.stderr);
        await assertMoved(scene, FORM);
      });
    }
    await t.step("or undone, if that fails", async () => {
      const result = await get(scene, [short(7), {
        action: "fail",
        kind: "file.write",
        name: NAME,
        nth: 2,
        error: "ENOSPC",
      }]);
      assertEquals(tokenOf(result), TOKEN, result.stderr);
      await assertUntouched(scene);
    });
  });

  Deno.test("nothing of the home can be written: get, login and logout answer", async (t) => {
    await using scene = await Scene.create();
    for (const error of ERRORS) {
      await t.step(error, async () => {
        const rules: readonly ShimRule[] = [
          { action: "fail", kind: "file.[!l]*", nth: 0, error },
        ];
        const result = await get(scene, rules);
        assertEquals(kindOf(result), "not-found");
        await assertUntouched(scene);

        await scene.store(ALT, TOKEN);
        assertEquals(tokenOf(await scene.ask("get", ALT, { rules })), TOKEN);

        const token = "the-newer-token-22";
        const login = await scene.ask("login", ALT, { rules, token });
        assertEquals(kindOf(login), "Ok", JSON.stringify(login.answers));
        assertEquals(await scene.stored(ALT), [token]);
        assertMatch(login.stderr, /cannot be written|older|plaintext/i);
        await assertUntouched(scene);

        const logout = await scene.ask("logout", ALT, { rules });
        // The file still holds one: that is no success.
        const answer = JSON.stringify(logout.answers);
        assertEquals(kindOf(logout), "other", answer);
        assertMatch(answer, /erased from .* still holds a plaintext token/);
        assertEquals(await scene.stored(ALT), []);
        await assertUntouched(scene);
      });
    }
  });

  Deno.test("restore to a disk that is full or broken keeps the item", async (t) => {
    await using scene = await Scene.create();
    for (const kind of ["file.open", "file.write", "file.sync", "file.chmod"]) {
      for (const error of ["ENOSPC", "EIO"] as const) {
        await t.step(`${kind} ${error}`, async () => {
          const text = `[registries.one]\ntoken = "one-token"\n`;
          await scene.reset(text);
          await Deno.chmod(scene.credentialsPath, 0o644);
          await scene.store(ALT, TOKEN);
          const { code, stdout } = await scene.command(
            ["restore", "--registry", "alt"],
            { rules: [{ action: "fail", kind, name: NAME, nth: 0, error }] },
          );
          assertEquals(code, 1);
          assertMatch(stdout, WORDS[error] ?? /never/);
          assertEquals(await scene.stored(ALT), [TOKEN]);
          assertEquals(await scene.home.credentials(), text);
          assertEquals(tokenOf(await scene.ask("get", ALT)), TOKEN);
        });
      }
    }
  });
}
