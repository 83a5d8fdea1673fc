// SIGKILL at every change of the file, for every way to write a token down.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { FORMS, LONG_FORMS } from "./_forms.ts";
import { killAtEach } from "./_kill.ts";
import { migration } from "./_migration.ts";
import { restoration } from "./_restoration.ts";
import { Scene } from "./_scene.ts";

/** One for each way to insert; tests/cargo has every form for itself. */
const RESTORED =
  /^(as cargo|a top-level|dotted keys in|one inline|CRLF|comments|the first page|a key before)/;

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

  Deno.test("a restore is killed at every change of the file", async (t) => {
    await using scene = await Scene.create();
    for (const form of FORMS) {
      if (form.stays || !RESTORED.test(form.name)) continue;
      await t.step(form.name, async () => {
        await scene.reset(form.text, form.registry);
        await scene.ask("get", form.registry);
        const text = await scene.home.credentials();
        const victim = restoration(scene, form, text);
        const points = await killAtEach(scene, victim, {
          action: "kill",
          kind: "file.*",
          name: "credentials.toml",
        });
        assert(points.length >= 4, `only ${points.length} points`);
      });
    }
  });

  Deno.test("a restore of a token longer than a page is killed at every change of the file", async (t) => {
    await using scene = await Scene.create();
    for (const form of LONG_FORMS) {
      await t.step(form.name, async () => {
        const text = form.text === "" ? undefined : form.text;
        const victim = restoration(scene, form, text);
        const points = await killAtEach(scene, victim, {
          action: "kill",
          kind: "file.*",
          name: "credentials.toml",
        });
        assert(points.length >= 6, `only ${points.length} points`);
      });
    }
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
