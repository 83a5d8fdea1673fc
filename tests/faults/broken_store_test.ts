// A store that fails in the middle of a migration: the file is untouched, and
// `get` answers from it.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FORMS, TOKEN } from "./_forms.ts";
import { assertMoved } from "./_migration.ts";
import { ALT, Scene, type SceneRun, tokenOf } from "./_scene.ts";

const [FIRST] = FORMS;
assert(FIRST !== undefined);
const FORM = FIRST;

/** Stops a `get` at this message, lets something happen, and goes on. */
async function interrupt(
  message: { readonly name: string; readonly nth?: number },
  happen: (scene: Scene) => Promise<void> | void,
  run: SceneRun = {},
): Promise<void> {
  await using scene = await Scene.create();
  await scene.reset(FORM.text);
  const stop = scene.shim.stopAt({ kind: "bus", ...message });
  const reading = scene.ask("get", ALT, { ...run, rules: [stop.rule] });
  await stop.reached();
  await happen(scene);
  await stop.release();
  const result = await reading;
  assertEquals(result.code, 0, result.stderr);
  assertEquals(tokenOf(result), TOKEN, result.stderr);
  assertMatch(result.stderr, /warning: /);
  assert(!result.stderr.includes(TOKEN));
  assertEquals(await scene.home.credentials(), FORM.text);
}

const IN_TIME: SceneRun = {
  env: { CARGO_CREDENTIAL_KEYRING_TIMEOUT: "2" },
  limit: 15_000,
};

if (Deno.build.os === "linux") {
  for (const name of ["CreateItem", "GetSecrets"]) {
    Deno.test(`the keyring is killed before ${name}`, () =>
      interrupt({ name }, (scene) => scene.bus.signalKeyring("SIGKILL")));

    Deno.test(`the keyring hangs before ${name}`, () =>
      interrupt(
        { name },
        (scene) => scene.bus.signalKeyring("SIGSTOP"),
        IN_TIME,
      ));

    Deno.test(`the keyring is locked before ${name}`, () =>
      interrupt({ name }, (scene) => scene.bus.lock()));
  }

  Deno.test("the keyring forgets what it has taken", async () => {
    await interrupt(
      { name: "GetSecrets" },
      async (scene) => {
        assertEquals(await scene.stored(ALT), [TOKEN]);
        await scene.clear(ALT);
      },
    );
  });

  Deno.test("the keyring gives back something else", () =>
    interrupt(
      { name: "GetSecrets" },
      (scene) => scene.store(ALT, "something else"),
    ));

  Deno.test("a keyring that comes back takes the token", async () => {
    await using scene = await Scene.create();
    await scene.reset(FORM.text);
    const stop = scene.shim.stopAt({ kind: "bus", name: "CreateItem" });
    const reading = scene.ask("get", ALT, { ...IN_TIME, rules: [stop.rule] });
    await stop.reached();
    scene.bus.signalKeyring("SIGSTOP");
    await stop.release();
    assertEquals(tokenOf(await reading), TOKEN);
    scene.bus.signalKeyring("SIGCONT");
    assertEquals(tokenOf(await scene.ask("get", ALT)), TOKEN);
    await assertMoved(scene, FORM);
  });
}
