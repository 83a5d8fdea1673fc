// A locked keyring: nothing waits where nobody is present, and a person is
// asked where one is.

import { assert, assertEquals, assertMatch } from "@std/assert";
import { runInPty } from "../support/pty.ts";
import { type SessionBus, startSessionBus } from "../support/session_bus.ts";
import { TestHome } from "../support/test_home.ts";
import {
  assertGoesOn,
  assertLoginWarns,
  CREDENTIALS,
  PLAINTEXT,
  plaintextBehind,
  SEARCH,
} from "./_plaintext_behind.ts";

const STORED = "stored-token-8b41";

/** A locked keyring, with the registry's item in it or without. */
async function lockedHome(
  bus: SessionBus,
  item: boolean,
): Promise<TestHome> {
  const home = await plaintextBehind({ bus });
  home.registry().tokens.add(STORED);
  if (item) {
    await bus.store([{
      label: "cargo-registry:alt",
      attributes: {
        url: home.registry().indexUrl,
        "xdg:schema": "org.rust-lang.cargo.registry",
      },
      secret: STORED,
    }]);
  }
  await bus.restartKeyringLocked();
  return home;
}

if (Deno.build.os === "linux") {
  for (const item of [true, false]) {
    Deno.test(
      `cargo goes on at a locked keyring with ${item ? "the" : "no"} item`,
      async () => {
        await using bus = await startSessionBus();
        await using prompter = await bus.startPrompter("ignore");
        await using home = await lockedHome(bus, item);
        await assertGoesOn(home, /locked/);
        assertEquals(prompter.prompts.length, 0);
      },
    );
  }

  Deno.test("a person at a terminal is asked to unlock", async () => {
    await using bus = await startSessionBus();
    await using prompter = await bus.startPrompter("type");
    await using home = await lockedHome(bus, true);
    const { code, output } = await runInPty(home.command(SEARCH), {
      env: home.env,
      cwd: home.work,
    });
    assertEquals(code, 0, output);
    assertEquals(prompter.prompts.length, 1);
    // The file's token is another one: it wins, and nothing changes.
    assert(home.registry().sawToken(PLAINTEXT));
    assertMatch(output, /--prefer file/);
    assertEquals(await home.credentials(), CREDENTIALS);
    await Deno.remove(`${home.cargoHome}/credentials.toml`);
    assertEquals((await home.cargo(SEARCH)).code, 0);
    assert(home.registry().sawToken(STORED));
  });

  Deno.test("cargo goes on when the prompt is dismissed", async () => {
    await using bus = await startSessionBus();
    await using prompter = await bus.startPrompter("dismiss");
    await using home = await lockedHome(bus, true);
    const { code, output } = await runInPty(home.command(SEARCH), {
      env: home.env,
      cwd: home.work,
    });
    assertEquals(code, 0, output);
    assert(prompter.prompts.length > 0);
    assert(home.registry().sawToken(PLAINTEXT));
    assertMatch(output, /dismissed|locked/);
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  Deno.test("cargo goes on when nobody answers the prompt", async () => {
    await using bus = await startSessionBus();
    await using prompter = await bus.startPrompter("ignore");
    await using home = await lockedHome(bus, true);
    const { code, output } = await runInPty(home.command(SEARCH), {
      env: { ...home.env, CARGO_CREDENTIAL_KEYRING_PROMPT_TIMEOUT: "3" },
      cwd: home.work,
    });
    assertEquals(code, 0, output);
    assert(prompter.prompts.length > 0);
    assert(home.registry().sawToken(PLAINTEXT));
    // After two seconds it says what it waits for, and for how long.
    assertMatch(output, /wait/i);
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  Deno.test("cargo goes on when no prompt can be shown", async () => {
    await using bus = await startSessionBus();
    await using home = await lockedHome(bus, true);
    const { code, output } = await runInPty(home.command(SEARCH), {
      env: { ...home.env, CARGO_CREDENTIAL_KEYRING_PROMPT_TIMEOUT: "3" },
      cwd: home.work,
    });
    assertEquals(code, 0, output);
    assert(home.registry().sawToken(PLAINTEXT));
    assertMatch(output, /warning: the token of `alt` cannot be read/);
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  Deno.test("a login unlocks the keyring where a person is present", async () => {
    await using bus = await startSessionBus();
    await using prompter = await bus.startPrompter("type");
    await using home = await TestHome.create({ bus });
    await bus.restartKeyringLocked();
    const { code, output } = await runInPty(
      home.command(["login", "--registry", "alt"]),
      {
        env: home.env,
        cwd: home.work,
        steps: [{ expect: "please paste the token", send: `${STORED}\r` }],
      },
    );
    assertEquals(code, 0, output);
    assertEquals(prompter.prompts.length, 1);
    assertEquals((await bus.items()).map(({ secret }) => secret), [STORED]);
  });

  Deno.test("a login whose prompt is dismissed stores nothing anywhere", async () => {
    await using bus = await startSessionBus();
    await using _prompter = await bus.startPrompter("dismiss");
    await using home = await lockedHome(bus, false);
    const { code, output } = await runInPty(
      home.command(["login", "--registry", "alt"]),
      { env: home.env, cwd: home.work },
    );
    assertEquals(code, 101, output);
    assertMatch(output, /dismissed/);
    // How to use the file on purpose.
    assertMatch(output, /CARGO_CREDENTIAL_KEYRING_STORE=off/);
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  Deno.test("a login over ssh to a locked keyring goes to the file, with a warning", async () => {
    await using bus = await startSessionBus();
    await using home = await lockedHome(bus, false);
    await assertLoginWarns(home, /locked/);
  });

  Deno.test("a logout at a locked keyring removes the file's token and says what may be left", async () => {
    await using bus = await startSessionBus();
    await using home = await lockedHome(bus, true);
    const { code, stderr } = await home.cargo(["logout", "--registry", "alt"]);
    assertEquals(code, 101, stderr);
    assertMatch(stderr, /may still hold/);
    assertEquals((await home.credentials())?.includes(PLAINTEXT), false);

    // It is not made up for when the keyring opens: the user logs out again.
    await bus.unlock();
    const search = await home.cargo(SEARCH);
    assertEquals(search.code, 0, search.stderr);
    assert(home.registry().sawToken(STORED));
    const again = await home.cargo(["logout", "--registry", "alt"]);
    assertEquals(again.code, 0, again.stderr);
    assertEquals(await bus.items(), []);
  });

  Deno.test("a background job is not stopped by a locked keyring", async () => {
    await using bus = await startSessionBus();
    await using prompter = await bus.startPrompter("ignore");
    await using home = await lockedHome(bus, true);
    const { code, output } = await runInPty([
      "/bin/bash",
      "-c",
      `set -m; "$@" & wait "$!"; echo "ended with $?"; jobs`,
      "bash",
      ...home.command(SEARCH),
    ], { env: home.env, cwd: home.work, limit: 30_000 });
    assertEquals(code, 0, output);
    assertMatch(output, /ended with 0/);
    assertEquals(/Stopped/.test(output), false, output);
    assertEquals(prompter.prompts.length, 0);
    assert(home.registry().sawToken(PLAINTEXT));
  });

  Deno.test("a background login without a token is not stopped", async () => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({ bus });
    const { output } = await runInPty([
      "/bin/bash",
      "-c",
      `set -m; "$@" & wait "$!"; echo "ended with $?"; jobs`,
      "bash",
      ...home.command(["login", "--registry", "alt"]),
    ], { env: home.env, cwd: home.work, limit: 30_000 });
    assertMatch(output, /ended with 101/);
    assertEquals(/Stopped/.test(output), false, output);
    assertEquals(await bus.items(), []);
  });

  Deno.test("piped output is no person, even at a terminal", async () => {
    await using bus = await startSessionBus();
    await using prompter = await bus.startPrompter("ignore");
    await using home = await lockedHome(bus, true);
    const { output } = await runInPty([
      "/bin/sh",
      "-c",
      `"$@" 2>&1 | cat; echo "ended"`,
      "sh",
      ...home.command(SEARCH),
    ], { env: home.env, cwd: home.work, limit: 30_000 });
    assertMatch(output, /ended/);
    assertMatch(output, /locked/);
    assertEquals(prompter.prompts.length, 0);
    assert(home.registry().sawToken(PLAINTEXT));
  });
}
