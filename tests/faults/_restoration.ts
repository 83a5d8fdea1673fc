import { assert, assertEquals } from "@std/assert";
import { type Form, TOKEN } from "./_forms.ts";
import type { Victim } from "./_kill.ts";
import { othersIn, tokenIn } from "./_migration.ts";
import { type Scene, tokenOf } from "./_scene.ts";

/**
 * `restore` of the token of a form.
 *
 * @param scene The scene.
 * @param form How the file was written before the token was moved.
 * @param text How it is now; `undefined`: there is no file.
 * @returns What is killed, and what must hold.
 */
export function restoration(
  scene: Scene,
  form: Form,
  text: string | undefined,
): Victim {
  const { registry, token = TOKEN } = form;
  const run: Victim["run"] = (rules) =>
    scene.command(["restore", "--registry", registry.name], { rules });
  const assertRestored = async (): Promise<void> => {
    assertEquals(await scene.stored(registry), []);
    const read = await scene.home.credentials() ?? "";
    assertEquals(tokenIn(read, form), token);
    // And no piece of it in a comment.
    assertEquals(read.split(token.slice(0, 20)).length, 2);
    assertEquals(othersIn(read, form), othersIn(text ?? "", form));
    const { mode } = await Deno.stat(scene.credentialsPath);
    assertEquals((mode ?? 0) & 0o777, 0o600);
    // It stays where the user has put it.
    await scene.ask("get", registry);
    assertEquals(await scene.home.credentials(), read);
    assertEquals(await scene.stored(registry), []);
  };
  return {
    reset: async () => {
      await scene.reset(text, registry);
      await scene.store(registry, token);
    },
    run,
    afterKill: async () => {
      const stored = await scene.stored(registry);
      const read = await scene.home.credentials() ?? "";
      const inFile = tokenIn(read, form);
      assertEquals(othersIn(read, form), othersIn(text ?? "", form));
      assert(inFile === token || stored.includes(token), "the token is lost");
      const result = await scene.ask("get", registry);
      if (stored.length > 0) assertEquals(tokenOf(result), token);
      await scene.command(["restore", "--registry", registry.name]);
      await assertRestored();
    },
    afterRun: async ({ code, stdout }) => {
      assertEquals(code, 0, stdout);
      await assertRestored();
    },
  };
}
