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
}
