// SIGKILL at every change of the file, for every way to write a token down.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FORMS } from "./_forms.ts";
import { killAtEach } from "./_kill.ts";
import { migration } from "./_migration.ts";
import { Scene } from "./_scene.ts";

if (Deno.build.os === "linux") {
  Deno.test("a migration is killed at every change of the file", async (t) => {
    await using scene = await Scene.create();
    let total = 0;
    for (const form of FORMS) {
      await t.step(form.name, async () => {
        const points = await killAtEach(scene, migration(scene, form), {
          action: "kill",
          kind: "file.*",
          name: "credentials.toml",
        });
        assert(
          points.length >= (form.stays ? 3 : 4),
          `only ${points.length} points`,
        );
        total += points.length;
      });
    }
    assert(total >= 100, `only ${total} points`);
  });

  Deno.test("what cannot be removed in one piece stays, and it is said", async () => {
    const form = FORMS.find(({ stays }) => stays);
    assert(form !== undefined);
    await using scene = await Scene.create();
    await scene.reset(form.text);
    const { stderr } = await scene.ask("get", form.registry);
    assertMatch(stderr, /by hand/);
    assertEquals(await scene.home.credentials(), form.text);
  });
}
