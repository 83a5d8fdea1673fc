// What a library writes on standard output is neither in the protocol nor in
// `--json`: GLib logs there whenever somebody debugs a program of theirs.

import { assertEquals, assertStringIncludes } from "@std/assert";
import { askProvider } from "../support/ask_provider.ts";
import { run } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { TestHome } from "../support/test_home.ts";

const LOUD = { G_MESSAGES_DEBUG: "all", G_DBUS_DEBUG: "message" };

Deno.test("the protocol and --json are alone on standard output", async (t) => {
  await using bus = await startSessionBus();
  await using home = await TestHome.create({
    registries: { alt: { tokens: ["tok"] } },
    bus,
    env: LOUD,
  });
  const registry = { "index-url": home.registry().indexUrl, name: "alt" };

  await t.step("the provider answers every request", async () => {
    const { answers, stderr } = await askProvider(home, [
      { v: 1, registry, kind: "get", operation: "read" },
      { v: 1, registry, kind: "login", token: "tok" },
      { v: 1, registry, kind: "get", operation: "read" },
      { v: 1, registry, kind: "logout" },
    ]);
    assertEquals(
      answers.map((answer) => Object.keys(answer)[0]),
      ["Err", "Ok", "Ok", "Ok"],
    );
    assertStringIncludes(stderr, "GDBus-debug");
  });

  await t.step("cargo understands it", async () => {
    await home.cargo(["login", "--registry", "alt"], { stdin: "tok" });
    const { code, stderr } = await home.cargo(
      ["publish", "--no-verify", "--registry", "alt"],
      { cwd: await home.crate("foo") },
    );
    assertEquals(code, 0, stderr);
  });

  await t.step("the commands report one object", async () => {
    await home.writeCredentials('[registries.alt]\ntoken = "tok"\n');
    for (const command of ["migrate", "restore"]) {
      const { stdout, stderr } = await run(
        [home.provider, command, "--dry-run", "--json"],
        { env: home.env, cwd: home.work },
      );
      assertEquals(typeof JSON.parse(stdout), "object");
      assertStringIncludes(stderr, "GDBus-debug");
    }
  });
});
