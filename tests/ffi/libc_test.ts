import { assertEquals, assertStringIncludes } from "@std/assert";
import { homeDirectory } from "../../ffi/home_directory.ts";
import { errno, libcName } from "../../ffi/libc.ts";
import { onlyOn } from "../support/platform.ts";

const unix = onlyOn("unix", "the C library is Unix's");

unix.test("errno() gives the code of the call before", () => {
  const libc = Deno.dlopen(libcName(), {
    close: { parameters: ["i32"], result: "i32" },
    chdir: { parameters: ["buffer"], result: "i32" },
  });
  const code = errno();
  const nowhere = new TextEncoder().encode("/no/such/directory\0");
  for (let i = 0; i < 1000; i++) {
    assertEquals(libc.symbols.close(-1), -1);
    assertEquals(code.getInt32(), 9); // EBADF
    assertEquals(libc.symbols.chdir(nowhere), -1);
    assertEquals(code.getInt32(), 2); // ENOENT
  }
  libc.close();
});

unix.test("homeDirectory() is what the user database has", async () => {
  const { stdout } = await new Deno.Command("getent", {
    args: ["passwd", `${Deno.uid()}`],
  }).output();
  const fields = new TextDecoder().decode(stdout).trim().split(":");
  assertEquals(await homeDirectory(), fields[5]);
});

unix.test("forbidCoreDumps() makes the process one that cannot be dumped", async () => {
  const program = `
    import { forbidCoreDumps } from ${
    JSON.stringify(import.meta.resolve("../../ffi/core_dumps.ts"))
  };
    const libc = Deno.dlopen("libc.so.6", {
      prctl: { parameters: ["i32"], result: "i32" },
    });
    const PR_GET_DUMPABLE = 3;
    const before = libc.symbols.prctl(PR_GET_DUMPABLE);
    console.log(before, forbidCoreDumps(), libc.symbols.prctl(PR_GET_DUMPABLE));
  `;
  const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", program],
    env: { NO_COLOR: "1" },
  }).output();
  assertEquals(new TextDecoder().decode(stderr), "");
  assertStringIncludes(new TextDecoder().decode(stdout), "1 true 0");
});
