// Machines where there is no Secret Service to talk to: cargo goes on with the
// plaintext token at once, and a login says where the token will be.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { compilePreload } from "../support/preload.ts";
import { runInPty } from "../support/pty.ts";
import { startSessionBus } from "../support/session_bus.ts";
import {
  assertFailsWithReason,
  assertGoesOn,
  assertLoginWarns,
  notices,
  plaintextBehind,
  SEARCH,
} from "./_plaintext_behind.ts";

if (Deno.build.os === "linux") {
  Deno.test("cargo goes on without a D-Bus session bus", async (t) => {
    await using home = await plaintextBehind();
    const reason = /there is no D-Bus session bus/;

    await t.step("reading", async () => {
      await assertGoesOn(home, reason);
    });
    await t.step("reading again the same day, in silence", async () => {
      const { code, stderr } = await home.cargo(SEARCH);
      assertEquals(code, 0, stderr);
      assertEquals(notices(stderr), []);
    });
    await t.step("a person reads it all the same, once a day", async () => {
      for (const expected of [1, 0]) {
        const { code, output } = await runInPty(home.command(SEARCH), {
          env: home.env,
          cwd: home.work,
        });
        assertEquals(code, 0, output);
        assertEquals(notices(output).length, expected, output);
      }
    });
    await t.step("logging in", async () => {
      await assertLoginWarns(home, reason);
    });
    await t.step("without cargo:token behind", async () => {
      await using alone = await plaintextBehind();
      await assertFailsWithReason(alone, reason);
    });
  });

  Deno.test("no bus is started to find out that there is none", async () => {
    for (const address of ["autolaunch:", "", "unix:path=/nowhere/bus"]) {
      await using home = await plaintextBehind({
        env: { DBUS_SESSION_BUS_ADDRESS: address, DISPLAY: ":99" },
      });
      // What GIO would run for `autolaunch:`.
      const bin = `${home.root}/launchers`;
      await Deno.mkdir(bin);
      for (const name of ["dbus-launch", "dbus-daemon"]) {
        await Deno.writeTextFile(
          `${bin}/${name}`,
          `#!/bin/sh\necho started >>"${bin}/started"\nexit 1\n`,
          { mode: 0o755 },
        );
      }
      await assertGoesOn(home, /D-Bus session bus|DBUS_SESSION_BUS_ADDRESS/, {
        env: { PATH: `${bin}:${home.env["PATH"]}` },
      });
      assertEquals(await Array.fromAsync(Deno.readDir(bin)).then(names), [
        "dbus-daemon",
        "dbus-launch",
      ]);
    }
  });

  Deno.test("cargo goes on without XDG_RUNTIME_DIR", async () => {
    await using home = await plaintextBehind({
      env: { XDG_RUNTIME_DIR: "/nowhere" },
    });
    await assertGoesOn(home, /there is no D-Bus session bus/);
  });

  Deno.test("cargo goes on where nobody provides secrets", async () => {
    await using bus = await startSessionBus({ keyring: "none" });
    await using home = await plaintextBehind({ bus });
    await assertGoesOn(home, /no Secret Service is running/);
    await assertLoginWarns(home, /no Secret Service is running/);
  });

  Deno.test("cargo goes on where the bus denies access", async () => {
    await using bus = await startSessionBus({ denied: "secrets" });
    await using home = await plaintextBehind({ bus });
    await assertGoesOn(home, /refuses access to the Secret Service/);
  });

  Deno.test("cargo goes on without a default collection", async () => {
    await using bus = await startSessionBus({ keyring: "empty" });
    await using home = await plaintextBehind({ bus });
    await assertGoesOn(home, /no default collection/);
  });

  Deno.test("nothing is moved to a collection in memory", async () => {
    await using bus = await startSessionBus({ keyring: "in-memory" });
    await using home = await plaintextBehind({ bus });
    await assertGoesOn(home, /in memory/);
    assertEquals(await bus.items(), []);
  });

  Deno.test("cargo goes on without libsecret", async () => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({ bus });
    const env = {
      LD_PRELOAD: await compilePreload("hide_library.c", home.root),
      HIDDEN_LIBRARY: "libsecret-1.so",
    };
    const { stderr } = await assertGoesOn(
      home,
      /libsecret-1\S* is not installed/,
      { env },
    );
    assertMatch(stderr, /install/i);
    assertEquals(await bus.items(), []);
  });

  Deno.test("a store that is switched off says nothing on reading", async () => {
    await using bus = await startSessionBus();
    await using home = await plaintextBehind({
      bus,
      env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" },
    });
    const { code, stderr } = await home.cargo(SEARCH);
    assertEquals(code, 0, stderr);
    assertEquals(notices(stderr), []);
    assertEquals(await bus.items(), []);
    await assertLoginWarns(home, /off/);
  });

  Deno.test("fallback = deny keeps a login out of the file", async () => {
    await using home = await plaintextBehind({
      env: { CARGO_CREDENTIAL_KEYRING_FALLBACK: "deny" },
    });
    const before = await home.credentials();
    const { code, stderr } = await home.cargo(["login", "--registry", "alt"], {
      stdin: "newer-token\n",
    });
    assertEquals(code, 101);
    assertMatch(stderr, /there is no D-Bus session bus/);
    assert(!stderr.includes("newer-token"));
    assertEquals(await home.credentials(), before);
    // What is in the file already is used.
    const search = await home.cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
  });

  Deno.test("fallback = strict lets cargo read no plaintext either", async () => {
    await using home = await plaintextBehind({
      env: { CARGO_CREDENTIAL_KEYRING_FALLBACK: "strict" },
    });
    const { code, stderr } = await home.cargo(SEARCH);
    assertEquals(code, 101);
    assertMatch(stderr, /there is no D-Bus session bus/);
    assertEquals(
      home.registry().requests.some(({ authorization }) =>
        authorization !== null
      ),
      false,
    );
  });
}

function names(entries: Deno.DirEntry[]): string[] {
  return entries.map(({ name }) => name).sort();
}
