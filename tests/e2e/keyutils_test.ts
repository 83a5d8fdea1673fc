// The kernel's keys as a store, when they are asked for by name.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { fileURLToPath } from "node:url";
import { run } from "../support/run.ts";
import { TestHome } from "../support/test_home.ts";
import {
  CREDENTIALS,
  notices,
  PLAINTEXT,
  plaintextBehind,
  SEARCH,
} from "./_plaintext_behind.ts";

const KEYUTILS = { CARGO_CREDENTIAL_KEYRING_STORE: "keyutils" };

if (Deno.build.os === "linux") {
  Deno.test("cargo works with the kernel's keys", async () => {
    await using home = await TestHome.create({
      registries: { alt: { authRequired: true, tokens: ["kernel-token"] } },
      env: KEYUTILS,
    });
    try {
      const login = await home.cargo(["login", "--registry", "alt"], {
        stdin: "kernel-token\n",
      });
      assertEquals(login.code, 0, login.stderr);
      assertMatch(login.stderr, /boot/);
      const search = await home.cargo(SEARCH);
      assertEquals(search.code, 0, search.stderr);
    } finally {
      const logout = await home.cargo(["logout", "--registry", "alt"]);
      assertEquals(logout.code, 0, logout.stderr);
    }
    assertEquals((await home.cargo(SEARCH)).code, 101);
  });

  Deno.test("the kernel's keys take no plaintext token", async () => {
    await using home = await plaintextBehind({ env: KEYUTILS });
    const { code, stderr } = await home.cargo(SEARCH);
    assertEquals(code, 0, stderr);
    assert(home.registry().sawToken(PLAINTEXT));
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  Deno.test("cargo goes on where a container forbids the kernel's keys", async () => {
    await using home = await plaintextBehind({ env: KEYUTILS });
    const { code, stderr } = await run([
      "/usr/bin/python3",
      fileURLToPath(new URL("../support/kernel_keys.py", import.meta.url)),
      "forbid",
      "EPERM",
      ...home.command(SEARCH),
    ], { env: home.env, cwd: home.work });
    assertEquals(code, 0, stderr);
    assert(home.registry().sawToken(PLAINTEXT));
    assertEquals(notices(stderr).length, 1, stderr);
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  // Only root can become a user whose quota nobody else needs.
  if (Deno.uid() === 0) {
    Deno.test("cargo goes on where the quota of kernel keys is used up", async () => {
      await using home = await plaintextBehind({ env: KEYUTILS });
      const uid = await handOver(home);
      // One session for both: the keys of one that has ended give their quota
      // back at a moment of the kernel's own choosing.
      const { code, stdout, stderr } = await run([
        "/usr/bin/python3",
        fileURLToPath(new URL("../support/kernel_keys.py", import.meta.url)),
        "full",
        String(uid),
        "/bin/sh",
        "-c",
        `"$0" login --registry alt; echo "login: $?"; exec "$0" "$@"`,
        `${home.root}/bin/cargo`,
        ...SEARCH,
      ], { env: home.env, cwd: home.work, stdin: "a-newer-token\n" });

      assertMatch(stdout, /^login: 101$/m, stderr);
      assertMatch(stderr, /full: the kernel's limit/);
      assertEquals(`${stdout}${stderr}`.includes("a-newer-token"), false);
      assertEquals(code, 0, stderr);
      assert(home.registry().sawToken(PLAINTEXT));
      assertEquals(await home.credentials(), CREDENTIALS);
    });
  }
}

/**
 * Gives a home to another user, with copies of what that user may not reach:
 * cargo, Deno, and the program in one file.
 */
async function handOver(home: TestHome): Promise<number> {
  const uid = 60_000 + Math.floor(Math.random() * 5_000);
  const bin = `${home.root}/bin`;
  const bundle = await new Deno.Command(Deno.execPath(), {
    args: ["bundle", "--quiet", "--output", `${bin}/program.js`, "mod.ts"],
    cwd: fileURLToPath(new URL("../../", import.meta.url)),
    stderr: "inherit",
  }).output();
  assert(bundle.success);
  await Deno.copyFile(home.command([])[0], `${bin}/cargo`);
  await Deno.copyFile(Deno.execPath(), `${bin}/deno`);
  await Deno.writeTextFile(
    home.provider,
    `#!/bin/sh\nexec ${bin}/deno run --quiet --no-prompt --no-lock --no-config ` +
      "--allow-read --allow-write --allow-env --allow-ffi --allow-sys=uid " +
      `${bin}/program.js "$@"\n`,
  );
  const { success } = await new Deno.Command("chown", {
    args: ["-R", String(uid), home.root],
  }).output();
  assert(success);
  return uid;
}
