// Real cargo, a loopback registry and the platform's own store: every command
// that needs a token, and how often each starts the provider. The numbers are
// those of cargo 1.95 for `cache: session` and `operation_independent: true`.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { openRealStore, type RealStore } from "../support/real_store.ts";
import { runInPty } from "../support/pty.ts";
import { type CargoResult, TestHome } from "../support/test_home.ts";

const TOKEN = "e2e-token-1f6c";
const LOGIN_URL = "https://alt.example/me";

let store: RealStore;
Deno.test.beforeAll(async () => {
  store = await openRealStore();
});
Deno.test.afterAll(async () => {
  await store[Symbol.asyncDispose]();
});

function succeeded(result: CargoResult, launches: number): CargoResult {
  assertEquals(result.code, 0, result.stderr);
  assertEquals(result.launches, launches, "provider processes");
  return result;
}

for (const authRequired of [false, true]) {
  const kind = authRequired ? "a registry that wants a token" : "an open one";
  /** What a look into the index costs: asked for a token only if it must be. */
  const reading = authRequired ? 1 : 0;

  Deno.test(`cargo does all its work with ${kind}`, async (t) => {
    await using home = await TestHome.create({
      registries: {
        alt: {
          authRequired,
          tokens: [TOKEN],
          loginUrl: LOGIN_URL,
        },
      },
      ...store.session,
    });
    const { indexUrl } = home.registry();
    const crate = await home.crate("foo");
    const cargo = (
      args: string[],
      options?: { stdin?: string; cwd?: string },
    ): Promise<CargoResult> => home.cargo(args, options);

    await t.step("login with a token on standard input", async () => {
      const { stderr } = succeeded(
        await cargo(["login", "--registry", "alt"], { stdin: `${TOKEN}\n` }),
        1 + reading,
      );
      assertMatch(stderr, /^ +Login token for .*`alt`.* stored in /m);
      assertEquals(await store.token(home, indexUrl), TOKEN);
      assertEquals(await home.credentials(), undefined);
    });

    await t.step("publish", async () => {
      succeeded(
        await cargo(["publish", "--registry", "alt"], { cwd: crate }),
        1,
      );
      assertEquals(home.registry().versions("foo"), ["0.1.0"]);
    });

    await t.step("yank", async () => {
      succeeded(await cargo(["yank", "--registry", "alt", "foo@0.1.0"]), 1);
      assertEquals(home.registry().versions("foo"), []);
    });

    await t.step("yank --undo", async () => {
      succeeded(
        await cargo(["yank", "--undo", "--registry", "alt", "foo@0.1.0"]),
        1,
      );
      assertEquals(home.registry().versions("foo"), ["0.1.0"]);
    });

    await t.step("owner --add, --list and --remove", async () => {
      const owner = (...args: string[]): Promise<CargoResult> =>
        cargo(["owner", "--registry", "alt", ...args, "foo"]);
      succeeded(await owner("--add", "ann", "--add", "bob"), 1);
      succeeded(await owner("--remove", "ann"), 1);
      const { stdout } = succeeded(await owner("--list"), 1);
      assertEquals(stdout, "publisher\nbob\n");
      // (After --remove, cargo 1.95 sends --list as another DELETE.)
      succeeded(await owner("--add", "eve", "--list"), 1);
      succeeded(await owner("--add", "joe", "--remove", "bob"), 1);
      assertEquals(home.registry().owners("foo"), ["publisher", "eve", "joe"]);
    });

    await t.step("search", async () => {
      const { stdout } = succeeded(
        await cargo(["search", "--registry", "alt", "fo"]),
        reading,
      );
      assertMatch(stdout, /^foo = "0\.1\.0"/);
    });

    await t.step("fetch and check, then again with all in place", async () => {
      const cwd = await home.crate(
        "bar",
        `[dependencies]\nfoo = { version = "0.1", registry = "alt" }\n`,
      );
      succeeded(await cargo(["fetch"], { cwd }), reading);
      succeeded(await cargo(["check"], { cwd }), 0);
      await Deno.remove(`${home.cargoHome}/registry`, { recursive: true });
      succeeded(await cargo(["fetch"], { cwd }), reading);
    });

    await t.step("logout", async () => {
      const { stderr } = succeeded(
        await cargo(["logout", "--registry", "alt"]),
        1,
      );
      assertMatch(stderr, /^ +Logout token for .*`alt`.* removed from /m);
      assertEquals(await store.token(home, indexUrl), undefined);
    });

    await t.step("a second logout says so", async () => {
      const { stderr } = succeeded(
        await cargo(["logout", "--registry", "alt"]),
        1,
      );
      assertStringIncludes(stderr, "Logout not currently logged in to `alt`");
    });

    await t.step("without a token, cargo says what to do", async () => {
      const { code, stderr } = await cargo(
        ["yank", "--registry", "alt", "foo@0.1.0"],
      );
      assertEquals(code, 101);
      assertStringIncludes(stderr, "no token found for `alt`");
    });
  });

  Deno.test(`cargo logs in to ${kind} in every way`, async (t) => {
    await using home = await TestHome.create({
      registries: {
        alt: { authRequired, tokens: [TOKEN], loginUrl: LOGIN_URL },
      },
      ...store.session,
    });
    const { indexUrl, origin } = home.registry();
    const login = ["login", "--registry", "alt"];
    const logout = ["logout", "--registry", "alt"];

    await t.step("at a terminal, which asks and shows nothing", async () => {
      const { code, output, echoes, echoesAfter } = await runInPty(
        home.command(login),
        {
          env: home.env,
          cwd: home.work,
          steps: [{ expect: "please paste the token", send: `${TOKEN}\r` }],
        },
      );
      assertEquals(code, 0, output);
      assertEquals(echoes, [false]);
      assertEquals(echoesAfter, true);
      assertEquals(output.includes(TOKEN), false);
      assertStringIncludes(output, authRequired ? LOGIN_URL : `${origin}/me`);
      assertEquals(await store.token(home, indexUrl), TOKEN);
      succeeded(await home.cargo(logout), 1);
    });

    await t.step("with a positional token", async () => {
      // Cargo reads the index with this very token and asks for none.
      const { stderr } = succeeded(await home.cargo([...login, TOKEN]), 1);
      assertStringIncludes(stderr, "deprecated");
      assertEquals(await store.token(home, indexUrl), TOKEN);
    });

    await t.step("in place of an older token", async () => {
      succeeded(
        await home.cargo(login, { stdin: "another-token\n" }),
        1 + reading,
      );
      assertEquals(await store.token(home, indexUrl), "another-token");
      succeeded(await home.cargo(logout), 1);
    });
  });
}

Deno.test("cargo login without a terminal or a token stores nothing", async () => {
  await using home = await TestHome.create({ ...store.session });
  const { code, stderr } = await home.cargo(["login", "--registry", "alt"]);
  assertEquals(code, 101);
  assertStringIncludes(stderr, "no terminal");
  assertEquals(
    await store.token(home, home.registry().indexUrl),
    undefined,
  );
});

Deno.test("Ctrl-C at the question for the token stores nothing", async () => {
  await using home = await TestHome.create({ ...store.session });
  const { code, output, echoes } = await runInPty([
    "/bin/sh",
    "-c",
    // The shell outlives cargo, as a person's does, and looks at the terminal
    // when both cargo and the provider have gone.
    `trap : INT; "$@"; echo "status $?"; sleep 1; stty | grep -q "[-]echo" || echo "echo is on"`,
    "sh",
    ...home.command(["login", "--registry", "alt"]),
  ], {
    env: home.env,
    cwd: home.work,
    steps: [{ expect: "please paste the token", send: "half a tok\x03" }],
  });
  assertEquals(code, 0, output);
  assertEquals(echoes, [false]);
  assertMatch(output, /status (130|101)/);
  assertMatch(output, /echo is on/);
  assertEquals(output.includes("half a tok"), false);
  assertEquals(
    await store.token(home, home.registry().indexUrl),
    undefined,
  );
});

Deno.test("a publish that builds asks for the token once", async () => {
  await using home = await TestHome.create({
    registries: { alt: { tokens: [TOKEN] } },
    ...store.session,
  });
  await home.cargo(["login", "--registry", "alt"], { stdin: TOKEN });
  const cwd = await home.crate("built");
  succeeded(await home.cargo(["publish", "--registry", "alt"], { cwd }), 1);
  succeeded(await home.cargo(["logout", "--registry", "alt"]), 1);
});
