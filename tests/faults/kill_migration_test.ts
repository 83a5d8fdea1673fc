// SIGKILL at every system call of a migration: wherever it strikes, the token
// is in the store or in the file, and the next run ends what it has cut short.

import { assert } from "@std/assert";
import { FORMS } from "./_forms.ts";
import { format, killAtEach, killEverywhere } from "./_kill.ts";
import { migration } from "./_migration.ts";
import { Scene } from "./_scene.ts";

const [FORM] = FORMS;

if (Deno.build.os === "linux") {
  Deno.test("a migration is killed at every call, messages to the keyring included", async () => {
    assert(FORM !== undefined);
    await using scene = await Scene.create();
    const points = await killEverywhere(scene, migration(scene, FORM));
    const killed = points.map(format);
    for (
      const call of [
        "bus SearchItems",
        "file.lock credentials.toml",
        "bus CreateItem",
        "bus GetSecrets",
        "file.write credentials.toml",
        "file.truncate credentials.toml",
        "file.sync credentials.toml",
      ]
    ) {
      assert(killed.includes(call), `never killed at ${call}`);
    }
    assert(points.length >= 50, `only ${points.length} points`);
  });

  Deno.test("a migration is killed before the keyring has answered", async () => {
    assert(FORM !== undefined);
    await using scene = await Scene.create();
    const victim = migration(scene, FORM);
    for (const name of ["CreateItem", "GetSecrets"]) {
      const points = await killAtEach(scene, victim, {
        action: "kill-after",
        kind: "bus",
        name,
      });
      assert(points.length > 0, `never killed at ${name}`);
    }
  });
}
