// `unlock`: the way to an open keyring where no dialog can be shown.

import { assertEquals, assertMatch } from "@std/assert";
import { runInPty } from "../support/pty.ts";
import { run } from "../support/run.ts";
import {
  KEYRING_PASSWORD,
  LOGIN_COLLECTION,
  startSessionBus,
} from "../support/session_bus.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";

const TOKEN = "stored-token-51aa";

if (Deno.build.os === "linux") {
  Deno.test("unlock opens gnome-keyring with a password typed unseen", async (t) => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({
      registries: { alt: { authRequired: true, tokens: [TOKEN] } },
      providers: ["cargo:token", PROVIDER],
      bus,
    });
    await home.cargo(["login", "--registry", "alt"], { stdin: `${TOKEN}\n` });
    await bus.restartKeyringLocked();
    const search = ["search", "--registry", "alt", "x"];
    const unlock = [home.provider, "unlock"] as const;
    const typed = (
      password: string,
    ): ReturnType<typeof runInPty> =>
      runInPty([...unlock], {
        env: home.env,
        cwd: home.work,
        steps: [{ expect: "Password of the keyring", send: `${password}\r` }],
      });

    await t.step("locked, cargo finds no token", async () => {
      assertEquals((await home.cargo(search)).code, 101);
    });
    await t.step("a wrong password opens nothing", async () => {
      const { code, output, echoes } = await typed("wrong-password");
      assertEquals(code, 1, output);
      assertMatch(output, /not the password of the keyring "Login"/);
      assertEquals(output.includes("wrong-password"), false);
      assertEquals(echoes, [false]);
      assertEquals((await home.cargo(search)).code, 101);
    });
    await t.step("without a terminal it says so", async () => {
      const { code, stderr } = await run([...unlock], {
        env: home.env,
        cwd: home.work,
      });
      assertEquals(code, 1);
      assertMatch(stderr, /no terminal/);
    });
    await t.step("the right one does, and cargo goes on", async () => {
      const { code, output } = await typed(KEYRING_PASSWORD);
      assertEquals(code, 0, output);
      assertEquals(output.includes(KEYRING_PASSWORD), false);
      assertEquals((await home.cargo(search)).code, 0);
    });
    await t.step("an open one needs none", async () => {
      const { code, stderr } = await run([...unlock], {
        env: home.env,
        cwd: home.work,
      });
      assertEquals(code, 0);
      assertMatch(stderr, /open already/);
    });
  });

  Deno.test("unlock opens every keyring, and leaves what gets no password", async () => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({ bus });
    const work = await bus.createCollection("at work");
    await bus.lock(LOGIN_COLLECTION);
    await bus.lock(work);
    const type = (
      ...steps: readonly { readonly expect: string; readonly send: string }[]
    ): ReturnType<typeof runInPty> =>
      runInPty([home.provider, "unlock"], {
        env: home.env,
        cwd: home.work,
        steps,
      });
    const ofWork = 'Password of the keyring "at work"';
    const left = await type(
      { expect: "Password of the keyring", send: `${KEYRING_PASSWORD}\r` },
      { expect: ofWork, send: "\r" },
    );
    assertEquals(left.code, 0, left.output);
    assertMatch(left.output, /"Login" is open/);
    assertMatch(left.output, /"at work" stays locked/);
    const opened = await type({
      expect: ofWork,
      send: `${KEYRING_PASSWORD}\r`,
    });
    assertEquals(opened.code, 0, opened.output);
    assertMatch(opened.output, /"at work" is open/);
    assertEquals(opened.echoes, [false]);
  });

  Deno.test("unlock makes the first keyring, and cargo uses it", async () => {
    await using bus = await startSessionBus({ keyring: "empty" });
    await using home = await TestHome.create({
      registries: { alt: { authRequired: true, tokens: [TOKEN] } },
      providers: ["cargo:token", PROVIDER],
      bus,
    });
    const make = (...passwords: string[]): ReturnType<typeof runInPty> =>
      runInPty([home.provider, "unlock"], {
        env: home.env,
        cwd: home.work,
        steps: passwords.map((password, i) => ({
          expect: i === 0 ? "New password" : "The same again",
          send: `${password}\r`,
        })),
      });
    const none = await make("");
    assertEquals(none.code, 1);
    assertMatch(none.output, /plaintext/);
    const different = await make("one", "two");
    assertEquals(different.code, 1);
    assertMatch(different.output, /not the same/);
    const made = await make("correct horse", "correct horse");
    assertEquals(made.code, 0, made.output);
    assertEquals(made.output.includes("correct horse"), false);
    assertEquals(made.echoes, [false, false]);

    const login = await home.cargo(["login", "--registry", "alt"], {
      stdin: `${TOKEN}\n`,
    });
    assertEquals(login.code, 0, login.stderr);
    assertEquals((await bus.items())[0]?.collection, LOGIN_COLLECTION);
    const { code } = await home.cargo(["search", "--registry", "alt", "x"]);
    assertEquals(code, 0);
  });

  Deno.test("unlock without a bus says what is missing", async () => {
    await using home = await TestHome.create();
    const { code, stderr } = await run([home.provider, "unlock"], {
      env: home.env,
      cwd: home.work,
    });
    assertEquals(code, 1);
    assertMatch(stderr, /no D-Bus session bus/);
  });
}
