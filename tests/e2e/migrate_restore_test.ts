// `migrate` and `restore` with the real cargo as the judge: whatever they
// report, cargo finds the token afterwards, and sends it to no other registry.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { runInPty } from "../support/pty.ts";
import { openRealStore, type RealStore } from "../support/real_store.ts";
import { LoopbackRegistry } from "../support/registry.ts";
import { run, type RunResult } from "../support/run.ts";
import { startSessionBus } from "../support/session_bus.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";

const TOKEN = "planted-command-token-5d";
const FILE = `[registries.alt]\ntoken = "${TOKEN}"\n`;
const SEARCH = ["search", "--registry", "alt", "foo"];
const PUBLISH = ["publish", "--no-verify", "--registry", "alt"];

let store: RealStore;
Deno.test.beforeAll(async () => {
  store = await openRealStore();
});
Deno.test.afterAll(async () => {
  await store[Symbol.asyncDispose]();
});

/** A home with a plaintext token for a registry that wants it for everything. */
async function plaintextHome(
  options: Parameters<typeof TestHome.create>[0] = {},
): Promise<TestHome> {
  const home = await TestHome.create({
    registries: { alt: { authRequired: true, tokens: [TOKEN] } },
    providers: ["cargo:token", PROVIDER],
    ...store.session,
    ...options,
  });
  await home.writeCredentials(FILE);
  return home;
}

function program(
  home: TestHome,
  args: readonly string[],
  cwd: string = home.work,
): Promise<RunResult> {
  return run([home.provider, ...args], { cwd, env: home.env });
}

/** Cargo does what needs the user's token. */
async function assertWorks(
  home: TestHome,
  args: readonly string[] = SEARCH,
): Promise<void> {
  const { code, stderr } = await home.cargo(args, {
    cwd: await home.crate("foo"),
  });
  assertEquals(code, 0, stderr);
}

/** A checkout that binds names to URLs of its own. */
async function checkout(home: TestHome, config: string): Promise<string> {
  const path = await Deno.makeTempDir({ dir: home.work });
  await Deno.mkdir(`${path}/.cargo`);
  await Deno.writeTextFile(`${path}/.cargo/config.toml`, config);
  return path;
}

function assertSawNoToken(registry: LoopbackRegistry): void {
  const sent = registry.requests.filter((request) =>
    request.authorization !== null
  );
  assertEquals(sent, []);
}

Deno.test("migrate leaves a token where cargo would not ask for it", async (t) => {
  const own = (name: string): string =>
    `[registries.alt]\ncredential-provider = "${name}"\n`;
  const ways: Record<string, readonly [string[], string?]> = {
    "the default list": [[]],
    "a list without this program": [["cargo:token"]],
    "a provider of its own": [["cargo:token", PROVIDER], own("cargo:token")],
  };
  for (const [name, [providers, registry]] of Object.entries(ways)) {
    await t.step(name, async () => {
      // Cargo's own default does not do for a private index.
      await using home = await plaintextHome({
        providers,
        registries: { alt: { tokens: [TOKEN] } },
      });
      if (registry !== undefined) {
        const config = `${home.cargoHome}/config.toml`;
        const text = await Deno.readTextFile(config);
        await Deno.writeTextFile(
          config,
          text.replace("[registries.alt]\n", registry),
        );
      }
      for (const more of [["--dry-run"], [], ["--registry", "alt"]]) {
        const { code, stdout } = await program(home, ["migrate", ...more]);
        assertEquals(code, 1, stdout);
        assertMatch(stdout, /Skipped +alt \(/);
        assertStringIncludes(stdout, "setup");
        assertEquals(await home.credentials(), FILE);
      }
      await assertWorks(home, PUBLISH);
    });
  }
});

Deno.test("no command in a checkout gives the user's token away", async (t) => {
  await using evil = LoopbackRegistry.start({ authRequired: true });
  const rebound = `[registries.alt]\nindex = "${evil.indexUrl}"\n`;
  const named = (home: TestHome): string =>
    `[registries.aaa]\nindex = "${home.registry().indexUrl}"\n`;

  await t.step("migrate --registry NAME --yes", async () => {
    await using home = await plaintextHome();
    const cwd = await checkout(home, rebound);
    const { code, stderr } = await program(
      home,
      ["migrate", "--registry", "alt", "--yes"],
      cwd,
    );
    assertEquals(code, 0, stderr);
    await home.cargo(SEARCH, { cwd });
    assertSawNoToken(evil);
    await assertWorks(home);
    await home.cargo(["logout", "--registry", "alt"]);
  });

  for (const more of [[], ["--registry", "alt"], ["--registry", "aaa"]]) {
    await t.step(`restore ${more.join(" ")}`, async () => {
      await using home = await plaintextHome();
      assertEquals((await program(home, ["migrate"])).code, 0);
      const cwd = await checkout(home, named(home));
      await program(home, ["restore", ...more], cwd);
      const text = await home.credentials() ?? "";
      assert(!text.includes("aaa"), text);
      // The checkout changes its mind.
      await Deno.writeTextFile(
        `${cwd}/.cargo/config.toml`,
        rebound + rebound.replace("alt", "aaa"),
      );
      for (const name of ["aaa", "alt"]) {
        await home.cargo(["search", "--registry", name, "foo"], { cwd });
      }
      await program(home, ["restore"], cwd);
      await home.cargo(SEARCH, { cwd });
      assertSawNoToken(evil);
      await assertWorks(home);
      await home.cargo(["logout", "--registry", "alt"]);
    });
  }
});

Deno.test("migrate --index gives a token to a URL that was typed, too", async () => {
  await using home = await plaintextHome();
  await using other = LoopbackRegistry.start({
    authRequired: true,
    tokens: [TOKEN],
  });
  const cwd = await checkout(
    home,
    `[registries.alt]\nindex = "${other.indexUrl}"\n`,
  );
  const refused = await home.cargo(SEARCH, { cwd });
  assertEquals(refused.code, 101);
  // What the refusal names is what lifts it.
  const [, advice = ""] =
    /`cargo-credential-keyring (migrate[^`]*--index[^`]*)`/
      .exec(refused.stderr) ?? [];
  assertStringIncludes(advice, other.indexUrl);
  const { code, stderr } = await program(home, advice.split(" "), cwd);
  assertEquals(code, 0, stderr);
  assertEquals(await home.credentials(), FILE);
  const accepted = await home.cargo(SEARCH, { cwd });
  assertEquals(accepted.code, 0, accepted.stderr);
  await assertWorks(home);
  await home.cargo(["logout", "--registry", "alt"], { cwd });
  await home.cargo(["logout", "--registry", "alt"]);
});

Deno.test("a name whose URL has changed gets its token back", async () => {
  await using home = await plaintextHome();
  assertEquals((await program(home, ["migrate"])).code, 0);
  const old = home.registry().indexUrl;
  await using moved = LoopbackRegistry.start({
    authRequired: true,
    tokens: [TOKEN],
  });
  const config = `${home.cargoHome}/config.toml`;
  const text = await Deno.readTextFile(config);
  await Deno.writeTextFile(config, text.replace(old, moved.indexUrl));
  const { stdout } = await program(home, ["migrate", "--registry", "alt"]);
  const [, advice = ""] = /`cargo-credential-keyring (migrate[^`]*--from[^`]*)`/
    .exec(stdout) ?? [];
  assertStringIncludes(advice, old);
  const args = advice.split(" ");
  assertEquals((await program(home, args)).code, 1);
  assertEquals(await store.token(home, old), TOKEN);
  const { code, stderr } = await program(home, [...args, "--yes"]);
  assertEquals(code, 0, stderr);
  assertEquals(await store.token(home, old), undefined);
  await assertWorks(home);
  await home.cargo(["logout", "--registry", "alt"]);
});

Deno.test("a long token comes back, and cargo alone can use it", async () => {
  const token = `Bearer ${"k9".repeat(3000)}`;
  await using home = await TestHome.create({
    registries: { alt: { authRequired: true, tokens: [token] } },
    providers: ["cargo:token", PROVIDER],
    ...store.session,
  });
  const login = await home.cargo(["login", "--registry", "alt"], {
    stdin: token,
  });
  assertEquals(login.code, 0, login.stderr);
  const { code, stdout } = await program(home, ["restore"]);
  assertEquals(code, 0, stdout);
  await home.configure(["cargo:token"]);
  await assertWorks(home);
});

if (Deno.build.os === "linux") {
  /** Three registries with a token each, and the keyring locked. */
  const names = ["one", "two", "three"];
  const registries = Object.fromEntries(names.map((name) => [name, {}]));
  const credentials = names.map((name) =>
    `[registries.${name}]\ntoken = "${TOKEN}-${name}"\n`
  ).join("");

  for (const [mode, moved] of [["type", true], ["dismiss", false]] as const) {
    Deno.test(`migrate opens one dialog for three tokens: ${mode}`, async () => {
      await using bus = await startSessionBus({ keyring: "locked" });
      await using prompter = await bus.startPrompter(mode);
      await using home = await TestHome.create({
        registries,
        providers: ["cargo:token", PROVIDER],
        bus,
      });
      await home.writeCredentials(credentials);
      const { code, output } = await runInPty([home.provider, "migrate"], {
        env: home.env,
        cwd: home.work,
      });
      assertEquals(code, moved ? 0 : 1, output);
      assertEquals(prompter.prompts.length, 1);
      const left = (await home.credentials() ?? "").includes(TOKEN);
      assertEquals(left, !moved);
    });
  }

  Deno.test("restore opens the dialog of a locked keyring for a person", async () => {
    await using bus = await startSessionBus();
    await using home = await TestHome.create({
      registries,
      providers: ["cargo:token", PROVIDER],
      bus,
    });
    await home.writeCredentials(credentials);
    assertEquals((await program(home, ["migrate"])).code, 0);
    await bus.restartKeyringLocked();
    await using prompter = await bus.startPrompter("type");
    const { code, output } = await runInPty([home.provider, "restore"], {
      env: home.env,
      cwd: home.work,
    });
    assertEquals(code, 0, output);
    assertEquals(prompter.prompts.length, 1);
    for (const name of names) {
      assertStringIncludes(
        await home.credentials() ?? "",
        `"${TOKEN}-${name}"`,
      );
    }
  });
}
