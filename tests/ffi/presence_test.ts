import { assertEquals } from "@std/assert";
import { mayBeThere } from "../../ffi/presence.ts";

Deno.test("mayBeThere() is false only where the system has no entry", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const file = `${directory}/file`;
    await Deno.writeTextFile(file, "");
    const absent = Deno.build.os !== "linux";
    assertEquals(mayBeThere(directory), true);
    assertEquals(mayBeThere(file), true);
    assertEquals(mayBeThere(`${directory}/absent`), absent);
    assertEquals(mayBeThere(`${directory}/absent/file`), absent);
    // What the system does not say is worth a look.
    assertEquals(mayBeThere(`${file}/below`), true);
    assertEquals(mayBeThere(`${directory}/${"x".repeat(300)}`), true);
    assertEquals(mayBeThere("a\0b"), true);
    if (Deno.build.os === "windows") return;
    await Deno.symlink(`${directory}/absent`, `${directory}/dangling`);
    assertEquals(mayBeThere(`${directory}/dangling`), true);
    await Deno.symlink("loop", `${directory}/loop`);
    assertEquals(mayBeThere(`${directory}/loop`), true);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});
