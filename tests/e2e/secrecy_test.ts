// A planted token is on the protocol's line and in the store, and nowhere else:
// not in what cargo or the provider print, at any log level, and in no file.

import { assert, assertEquals } from "@std/assert";
import { openRealStore } from "../support/real_store.ts";
import { TestHome, type TestHomeOptions } from "../support/test_home.ts";

const TOKEN = "planted0c5aToken9f31x";

/** The token as it is, and as other programs would write it. */
const SPELLINGS = [
  TOKEN,
  btoa(TOKEN).slice(0, -4),
  new TextEncoder().encode(TOKEN).toHex(),
  [...TOKEN].join("\0"),
  [...TOKEN].reverse().join(""),
];

function assertNotIn(text: string, where: string): void {
  for (const spelling of SPELLINGS) {
    assert(!text.includes(spelling), `the token is in ${where}`);
  }
}

async function assertInNoFile(directory: string): Promise<void> {
  for await (const entry of Deno.readDir(directory)) {
    const path = `${directory}/${entry.name}`;
    assertNotIn(entry.name, `the name ${path}`);
    if (entry.isDirectory) await assertInNoFile(path);
    if (!entry.isFile) continue;
    const bytes = await Deno.readFile(path);
    assertNotIn(new TextDecoder("latin1").decode(bytes), path);
  }
}

/** Logs as much as cargo can. */
const LOUD = { CARGO_LOG: "trace", CARGO_HTTP_DEBUG: "true" };

async function runLoudly(
  home: TestHome,
  args: string[],
  options: { stdin?: string; cwd?: string; env?: Record<string, string> } = {},
): Promise<number> {
  const { code, stdout, stderr } = await home.cargo([...args, "-v"], {
    ...options,
    env: { ...LOUD, ...options.env },
  });
  assert(stderr.includes("TRACE") || stderr.includes("DEBUG"), "logs nothing");
  assertNotIn(stdout, `standard output of cargo ${args[0]}`);
  assertNotIn(stderr, `standard error of cargo ${args[0]}`);
  await assertInNoFile(home.root);
  return code;
}

async function privateHome(options: TestHomeOptions): Promise<TestHome> {
  return await TestHome.create({
    registries: { alt: { authRequired: true, tokens: [TOKEN] } },
    ...options,
  });
}

Deno.test("cargo's commands show the token nowhere (token_not_logged)", async (t) => {
  await using store = await openRealStore();
  await using home = await privateHome({ ...store.session });
  const { indexUrl } = home.registry();
  const cwd = await home.crate("foo");
  const alt = ["--registry", "alt"];

  await t.step("login", async () => {
    assertEquals(
      await runLoudly(home, ["login", ...alt], { stdin: `${TOKEN}\n` }),
      0,
    );
    assertEquals(await store.token(home, indexUrl), TOKEN);
  });
  for (
    const args of [
      ["publish", "--no-verify", ...alt],
      ["yank", ...alt, "foo@0.1.0"],
      ["owner", ...alt, "--add", "ann", "foo"],
      ["search", ...alt, "foo"],
    ]
  ) {
    await t.step(`${args[0]}`, async () => {
      assertEquals(await runLoudly(home, args, { cwd }), 0);
    });
  }
  await t.step("a token that the registry rejects", async () => {
    home.registry().tokens.clear();
    assertEquals(await runLoudly(home, ["search", ...alt, "foo"]), 101);
    assertEquals(await runLoudly(home, ["yank", ...alt, "foo@0.1.0"]), 101);
  });
  await t.step("logout", async () => {
    assertEquals(await runLoudly(home, ["logout", ...alt]), 0);
  });
  assert(home.registry().sawToken(TOKEN));
  if (store.session.bus !== undefined) {
    // gnome-keyring's own file is encrypted.
    await assertInNoFile(store.session.bus.directory);
  }
});

Deno.test("a login that fails repeats no token", async (t) => {
  await using home = await privateHome({});
  const login = (
    stdin: string,
    env: Record<string, string> = {},
  ): Promise<number> =>
    runLoudly(home, ["login", "--registry", "alt"], { stdin, env });

  await t.step("no store is there, and no other provider", async () => {
    assertEquals(await login(`${TOKEN}\n`), 101);
  });
  await t.step("a setting is wrong", async () => {
    const env = { CARGO_CREDENTIAL_KEYRING_STORE: "no-such-store" };
    assertEquals(await login(`${TOKEN}\n`, env), 101);
  });
  await t.step("the token is invalid", async () => {
    assertEquals(await login(`${TOKEN}\u00e9\n`), 101);
  });
});
