// The README's first command shows what it says, and leaves nothing behind.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { fileURLToPath } from "node:url";
import { run } from "../support/run.ts";

Deno.test("deno task try shows every step and leaves nothing behind", async () => {
  const tmp = await Deno.makeTempDir({ prefix: "try-" });
  try {
    const { code, stdout, stderr } = await run([
      Deno.execPath(),
      "run",
      "--allow-all",
      fileURLToPath(new URL("../../scripts/try.ts", import.meta.url)),
    ], { env: { ...Deno.env.toObject(), TMPDIR: tmp, NO_COLOR: "1" } });
    assertEquals(code, 0, stderr);
    for (
      const step of [
        "Moved the token",
        "Published",
        "Yank",
        "owners of",
        "Logout",
        "Login",
        "Nothing is left behind",
      ]
    ) {
      assertStringIncludes(stdout + stderr, step);
    }
    assert([...Deno.readDirSync(tmp)].length === 0);
  } finally {
    await Deno.remove(tmp, { recursive: true });
  }
});
