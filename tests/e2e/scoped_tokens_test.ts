// Tokens with scopes lie beside the registry's own, where cargo's own provider
// does not find them; each operation gets the narrowest that serves.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { findProgram, missing } from "../support/requirements.ts";
import { run } from "../support/run.ts";
import type { CargoResult } from "../support/test_home.ts";
import { type SessionBus, startSessionBus } from "../support/session_bus.ts";
import { CRATES_IO_INDEX, PROVIDER, TestHome } from "../support/test_home.ts";
import { type Grant, scopedUrl } from "../../src/tokens/scoped.ts";

const OWN = "the-own-token";
const PUBLISHES = "the-token-that-publishes";
const FOO = "the-token-for-foo";
const YANKS = "the-token-that-yanks";

const SCOPED = {
  [PUBLISHES]: { scopes: ["publish-new", "publish-update"] },
  [FOO]: { scopes: ["publish-new", "publish-update"], crates: ["foo-*"] },
  [YANKS]: { scopes: ["yank"] },
};

async function createHome(bus: SessionBus): Promise<TestHome> {
  return await TestHome.create({
    registries: { alt: { scoped: SCOPED, tokens: [OWN] } },
    cratesIo: { scoped: SCOPED, tokens: [OWN] },
    bus,
  });
}

async function logIn(
  home: TestHome,
  token: string,
  args: readonly string[] = [],
  registry = "crates-io",
): Promise<CargoResult> {
  return succeeded(
    await home.cargo(
      [
        "login",
        "--registry",
        registry,
        ...args.length > 0 ? ["--"] : [],
        ...args,
      ],
      { stdin: token },
    ),
  );
}

function succeeded(result: CargoResult): CargoResult {
  assertEquals(result.code, 0, result.stderr);
  return result;
}

async function publish(
  home: TestHome,
  name: string,
  registry = "crates-io",
): Promise<CargoResult> {
  return await home.cargo(["publish", "--no-verify", "--registry", registry], {
    cwd: await home.crate(name),
  });
}

/** The token of the last request that had one. */
function lastToken(home: TestHome, registry = "crates-io"): string | null {
  return home.registry(registry).requests.map((each) => each.authorization)
    .filter((token) => token !== null).at(-1) ?? null;
}

async function ageKeygen(): Promise<string> {
  return await findProgram("age-keygen") ??
    missing("age-keygen", "apt-get install age");
}

function day(days: number): string {
  return new Date(Date.now() + days * 86_400_000).toISOString().slice(0, 10);
}

/** An item as it is once its day has come. */
async function plant(
  bus: SessionBus,
  grant: Grant,
  token: string,
): Promise<void> {
  await bus.store([{
    label: "cargo-registry:crates-io",
    attributes: {
      url: scopedUrl(CRATES_IO_INDEX, grant),
      "xdg:schema": "org.rust-lang.cargo.registry",
    },
    secret: token,
  }]);
}

if (Deno.build.os === "linux") {
  Deno.test("each operation gets the narrowest token that serves", async (t) => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    const scope = ["--scope", "publish-new,publish-update"];
    await logIn(home, PUBLISHES, scope);
    await logIn(home, FOO, [...scope, "--crate", "foo-*"]);
    const { stderr } = await logIn(home, YANKS, [
      "--scope",
      "yank",
      "--expires",
      "90",
    ]);
    assertStringIncludes(stderr, `(yank, until ${day(90)}) stored in`);

    await t.step("without one of the registry's own", async () => {
      assertEquals(succeeded(await publish(home, "bar")).launches, 2);
      assertEquals(lastToken(home), PUBLISHES);
      succeeded(await publish(home, "foo-x"));
      assertEquals(lastToken(home), FOO);
      succeeded(await home.cargo(["yank", "bar@0.1.0"]));
      assertEquals(lastToken(home), YANKS);
      const owners = await home.cargo(["owner", "--list", "bar"]);
      assertEquals(owners.code, 101);
      assertStringIncludes(owners.stderr, "no token found");
    });

    await t.step("with one of the registry's own", async () => {
      await logIn(home, OWN);
      succeeded(await home.cargo(["owner", "--list", "bar"]));
      assertEquals(lastToken(home), OWN);
      succeeded(await home.cargo(["yank", "--undo", "bar@0.1.0"]));
      assertEquals(lastToken(home), YANKS);
    });

    await t.step("the environment's wins", async () => {
      const env = { CARGO_REGISTRY_TOKEN: OWN };
      succeeded(await home.cargo(["yank", "bar@0.1.0"], { env }));
      assertEquals(lastToken(home), OWN);
    });

    await t.step("without what is remembered", async () => {
      succeeded(await home.cargo(["logout"]));
      await logIn(home, YANKS, ["--scope", "yank"]);
      await Deno.remove(`${home.cargoHome}/.credential-keyring-state.json`);
      succeeded(await home.cargo(["yank", "--undo", "bar@0.1.0"]));
      assertEquals(lastToken(home), YANKS);
    });
  });

  Deno.test("another registry's scoped tokens are asked for one by one", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await logIn(home, OWN, [], "alt");
    await logIn(
      home,
      FOO,
      ["--scope", "publish-new", "--crate", "foo-*"],
      "alt",
    );
    const { launches } = succeeded(await publish(home, "foo-x", "alt"));
    assertEquals(launches, 2);
    assertEquals(lastToken(home, "alt"), FOO);
    assertEquals(succeeded(await publish(home, "bar", "alt")).launches, 2);
    assertEquals(lastToken(home, "alt"), OWN);
    // Another registry has none, and costs nothing more.
    await logIn(home, OWN);
    assertEquals(lastToken(home), null);
  });

  Deno.test("cargo:libsecret does not find a scoped token", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await logIn(home, YANKS, ["--scope", "yank"]);
    await home.configure(["cargo:libsecret"]);
    const { code, stderr } = await home.cargo(["yank", "bar@0.1.0"]);
    assertEquals(code, 101);
    assertStringIncludes(stderr, "no token found");
    // Nor does its logout take one away.
    await home.cargo(["logout"]);
    assertEquals((await bus.items()).map(({ secret }) => secret), [YANKS]);
  });

  Deno.test("a login replaces the token for the same, and logout takes all", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    const secrets = async (): Promise<unknown[]> =>
      (await bus.items()).map(({ secret }) => secret).sort();
    await logIn(home, OWN);
    await logIn(home, FOO, ["--scope", "yank", "--expires", "30"]);
    await logIn(home, YANKS, ["--scope", "yank", "--expires", "90"]);
    assertEquals(await secrets(), [OWN, YANKS]);
    await logIn(home, FOO, ["--scope", "yank", "--crate", "foo"]);
    assertEquals(await secrets(), [OWN, FOO, YANKS]);
    await logIn(home, FOO, ["--scope", "yank"], "alt");
    const { stderr } = succeeded(await home.cargo(["logout"]));
    assertStringIncludes(stderr, "(yank of foo)");
    assertEquals(await secrets(), [FOO]);
    const again = await home.cargo(["logout"]);
    assertStringIncludes(again.stderr, "not currently logged in");
    succeeded(await home.cargo(["logout", "--registry", "alt"]));
    assertEquals(await secrets(), []);
  });

  Deno.test("a token that ends is spoken of, and one that has is not used", async () => {
    await using bus = await startSessionBus();
    await using home = await createHome(bus);
    await logIn(home, OWN);
    succeeded(await publish(home, "bar"));
    await logIn(home, YANKS, ["--scope", "yank", "--expires", day(3)]);
    const yank = ["yank", "bar@0.1.0"];
    const soon = succeeded(await home.cargo(yank)).stderr;
    assertMatch(soon, /for yank expires on \d{4}.*<https:\/\/crates.io\/me>/);
    assertEquals(lastToken(home), YANKS);
    const again = succeeded(await home.cargo([...yank, "--undo"])).stderr;
    assertEquals(again.includes("expires"), false);

    await home.cargo(["logout"]);
    await logIn(home, FOO, ["--scope", "publish-new"]);
    await plant(
      bus,
      { scopes: ["yank"], crates: [], expires: day(-1) },
      YANKS,
    );
    const expired = await home.cargo(yank);
    assertEquals(expired.code, 101);
    assertStringIncludes(expired.stderr, `has expired on ${day(-1)}`);
    assertStringIncludes(expired.stderr, "cargo login -- --scope yank");
    await logIn(home, OWN);
    assertStringIncludes(
      succeeded(await home.cargo(yank)).stderr,
      "has expired on",
    );
    assertEquals(lastToken(home), OWN);
  });

  Deno.test("export and import take scoped tokens along", async () => {
    await using bus = await startSessionBus();
    await using other = await startSessionBus();
    await using home = await createHome(bus);
    await using copy = await createHome(other);
    await logIn(home, YANKS, ["--scope", "yank", "--crate", "foo"]);
    const key = await run([await ageKeygen()], { cwd: home.work, env: {} });
    const recipient = /age1\w+/.exec(key.stdout + key.stderr)?.[0] ?? "";
    await Deno.writeTextFile(`${home.work}/key`, key.stdout);
    const exported = await run(
      [home.provider, "export", "--recipient", recipient, "tokens.age"],
      { cwd: home.work, env: home.env },
    );
    assertEquals(exported.code, 0, exported.stderr);
    assertStringIncludes(exported.stdout, "(yank of foo)");
    const imported = await run(
      [
        copy.provider,
        "import",
        "--identity",
        `${home.work}/key`,
        `${home.work}/tokens.age`,
      ],
      { cwd: copy.work, env: copy.env },
    );
    assertEquals(imported.code, 0, imported.stderr);
    assertStringIncludes(imported.stdout, "(yank of foo)");
    assertEquals(
      (await other.items()).map(({ attributes, secret }) => [
        attributes["url"],
        secret,
      ]),
      (await bus.items()).map(({ attributes, secret }) => [
        attributes["url"],
        secret,
      ]),
    );
    // And it is remembered there that there is one.
    await logIn(copy, OWN);
    await copy.cargo(["yank", "foo@0.1.0"]);
    assertEquals(lastToken(copy), YANKS);
  });

  Deno.test("a scoped token goes nowhere but into the store", async () => {
    await using home = await TestHome.create({
      cratesIo: {},
      providers: ["cargo:token", PROVIDER],
    });
    const { code, stderr } = await home.cargo(
      ["login", "--", "--scope", "yank"],
      { stdin: YANKS },
    );
    assertEquals(code, 101);
    assertStringIncludes(stderr, "the token was not stored");
    assertEquals(await home.credentials(), undefined);
    assert(!stderr.includes(YANKS));
  });
}
