// The store and cargo's file, or two homes, hold different tokens, or a token
// lies where it does not last: cargo goes on as without this program, and what
// differs is said.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { run } from "../support/run.ts";
import {
  LOGIN_COLLECTION,
  SESSION_COLLECTION,
  type SessionBus,
  startSessionBus,
} from "../support/session_bus.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";

const A = "the-token-of-account-a";
const B = "the-token-of-account-b";
const C = "the-token-of-account-c";
const SEARCH = ["search", "--registry", "alt", "anything"];
const LOGIN = ["login", "--registry", "alt"];
const NO_BUS = { DBUS_SESSION_BUS_ADDRESS: "", XDG_RUNTIME_DIR: "" };

async function createHome(
  bus: SessionBus,
  authRequired = true,
): Promise<TestHome> {
  return await TestHome.create({
    registries: { alt: { authRequired, tokens: [A, B, C] } },
    providers: ["cargo:token", PROVIDER],
    bus,
  });
}

function credentials(token: string): string {
  return `[registries.alt]\ntoken = "${token}"\n`;
}

/** The token that cargo sends for a search, and what is said. */
async function search(
  home: TestHome,
  env: Readonly<Record<string, string>> = {},
): Promise<{ readonly sent: string | undefined; readonly stderr: string }> {
  const registry = home.registry();
  registry.requests.length = 0;
  const { stderr } = await home.cargo(SEARCH, { env });
  const sent = [A, B, C].find((token) => registry.sawToken(token));
  return { sent, stderr };
}

async function secrets(bus: SessionBus): Promise<readonly (string | null)[]> {
  return (await bus.items()).map(({ secret }) => secret);
}

if (Deno.build.os === "linux") {
  Deno.test("two cargo homes keep an account each", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await home.writeCredentials(credentials(A));
    const work = `${home.root}/work-home`;
    await Deno.mkdir(work);
    await Deno.copyFile(
      `${home.cargoHome}/config.toml`,
      `${work}/config.toml`,
    );
    await Deno.writeTextFile(`${work}/credentials.toml`, credentials(B));
    const atWork = { CARGO_HOME: work };
    assertEquals((await search(home)).sent, A);
    for (let i = 0; i < 2; i++) {
      const { sent, stderr } = await search(home, atWork);
      assertEquals(sent, B, stderr);
      // Whichever command is named says that it discards something.
      if (i === 0) assertMatch(stderr, /--prefer file.*discards/);
      assertEquals((await search(home)).sent, A);
    }
    assertEquals(await secrets(bus), [A]);
  });

  Deno.test("a program that writes each new token into the file is obeyed", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    for (const token of [A, B, C]) {
      await home.writeCredentials(credentials(token));
      assertEquals((await search(home)).sent, token);
    }
  });

  Deno.test("a copy in memory is not taken for one that lasts", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await home.writeCredentials(credentials(A));
    await bus.setDefaultCollection(SESSION_COLLECTION);
    const login = await home.cargo(LOGIN, { stdin: A });
    assertEquals(login.code, 0, login.stderr);
    assertMatch(login.stderr, /in memory alone/);
    assertStringIncludes(await home.credentials() ?? "", A);

    await bus.setDefaultCollection(LOGIN_COLLECTION);
    assertEquals((await search(home)).sent, A);
    await bus.restartKeyringLocked();
    await bus.unlock();
    assertEquals((await search(home)).sent, A);
  });

  Deno.test("a variable for one command does not take the token away", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await home.writeCredentials(credentials(A));
    const own = await Deno.readTextFile(`${home.cargoHome}/config.toml`);
    await Deno.writeTextFile(
      `${home.cargoHome}/config.toml`,
      own.replace(home.registry().indexUrl, "sparse+https://prod.example/"),
    );
    const { sent, stderr } = await search(home, {
      CARGO_REGISTRIES_ALT_INDEX: home.registry().indexUrl,
    });
    assertEquals(sent, A);
    assertMatch(stderr, /binds this registry's name to .*prod\.example/);
    assertEquals(await home.credentials(), credentials(A));
    assertEquals(await secrets(bus), []);
  });

  Deno.test("a registry whose URL has changed is told where its token is", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await bus.store([{
      label: "cargo-registry:alt",
      attributes: {
        url: "sparse+https://old.example/",
        "xdg:schema": "org.rust-lang.cargo.registry",
      },
      secret: A,
    }]);
    const { sent, stderr } = await search(home);
    assertEquals(sent, undefined);
    const advice = /`cargo-credential-keyring ([^`]*)`/.exec(stderr)?.[1];
    assert(advice !== undefined, stderr);
    assertStringIncludes(advice, "sparse+https://old.example/");
    // What is said leads there.
    const result = await run([home.provider, ...advice.split(" "), "--yes"], {
      cwd: home.work,
      env: home.env,
    });
    assertEquals(result.code, 0, result.stderr);
    assertEquals((await search(home)).sent, A);
  });

  Deno.test("a logout that cannot look says so", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await home.cargo(LOGIN, { stdin: A });
    const logout = ["logout", "--registry", "alt"];
    const { stderr } = await home.cargo(logout, { env: NO_BUS });
    assertMatch(stderr, /may still hold/);
    assertEquals(await secrets(bus), [A]);
  });

  Deno.test("a login names the tokens that stay in config.toml", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    const path = `${home.cargoHome}/config.toml`;
    const own = await Deno.readTextFile(path);
    await Deno.writeTextFile(
      path,
      own.replace("[registries.alt]", `[registries.alt]\ntoken = "${B}"`),
    );
    const { code, stderr } = await home.cargo(LOGIN, { stdin: A });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, `${path}, which login does not touch`);
  });

  Deno.test("cargo login -- --migrate-to-keyring moves the token, and takes nothing else", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus, false);
    await home.writeCredentials(credentials(A));
    const other = await home.cargo([...LOGIN, "--", "--store=keyutils"], {
      stdin: B,
    });
    assertEquals(other.code, 101, other.stderr);
    assertEquals(await home.credentials(), credentials(A));
    const { code, stderr } = await home.cargo([
      ...LOGIN,
      "--",
      "--migrate-to-keyring",
    ]);
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /Moved/);
    assertEquals(await secrets(bus), [A]);
    assertEquals((await home.credentials())?.includes(A), false);
  });

  Deno.test("arguments in a configuration change nothing, and that is said", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await Deno.mkdir(`${home.work}/.cargo`);
    await Deno.writeTextFile(
      `${home.work}/.cargo/config.toml`,
      `[registry]\nglobal-credential-providers = ["${home.provider} --store off --timeout 20"]\n`,
    );
    const { code, stderr } = await home.cargo(LOGIN, { stdin: A });
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /arguments of this provider .* are ignored/);
    assertEquals(await secrets(bus), [A]);
    const again = await search(home);
    assertEquals(again.sent, A);
    assert(!again.stderr.includes("arguments"), again.stderr);
    const logout = await home.cargo(["logout", "--registry", "alt"]);
    assertEquals(logout.code, 0, logout.stderr);
    assertEquals(await secrets(bus), []);
  });

  Deno.test("a keyring without a password is not moved to, and is called what it is", async () => {
    await using bus = await startSessionBus({ keyring: "plaintext" });
    await using home = await createHome(bus);
    await home.writeCredentials(credentials(A));
    const { sent, stderr } = await search(home);
    assertEquals(sent, A);
    assertMatch(stderr, /has no password and is a plaintext file/);
    assertEquals(await home.credentials(), credentials(A));
    assertEquals(await secrets(bus), []);
    const login = await home.cargo(LOGIN, { stdin: B });
    assertEquals(login.code, 0, login.stderr);
    assertEquals(login.stderr.match(/PLAINTEXT/g)?.length, 2);
  });
}
