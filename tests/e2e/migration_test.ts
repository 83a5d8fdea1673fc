// Plaintext tokens on their way into the store and back, with the real cargo.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { parse } from "smol-toml";
import { openRealStore, type RealStore } from "../support/real_store.ts";
import { run, type RunResult } from "../support/run.ts";
import {
  CRATES_IO_INDEX,
  PROVIDER,
  TestHome,
  type TestHomeOptions,
} from "../support/test_home.ts";

const TOKEN = "plaintext-token-77f0";
const CHAIN = ["cargo:token", PROVIDER];
const FILE =
  `# mine\n[registry]\ntoken = "crates-io-token" # why\n\n[registries.alt]\ntoken = "${TOKEN}"\n`;
const WITHOUT_ALT =
  `# mine\n[registry]\ntoken = "crates-io-token" # why\n\n[registries.alt]\n`;

/** A home with a plaintext token, and a keyring on the same file system. */
async function plaintextHome(
  store: RealStore,
  options: TestHomeOptions = {},
): Promise<TestHome> {
  const home = await TestHome.create({
    registries: { alt: { tokens: [TOKEN] } },
    providers: CHAIN,
    ...store.session,
    ...options,
  });
  await Deno.mkdir(`${home.home}/.local/share/keyrings`, { recursive: true });
  await home.writeCredentials(FILE);
  return home;
}

/** Runs the program as a person does. */
function program(
  home: TestHome,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  cwd: string = home.work,
): Promise<RunResult> {
  return run([home.provider, ...args], { cwd, env: { ...home.env, ...env } });
}

async function publishedCrate(home: TestHome): Promise<void> {
  const cwd = await home.crate("foo");
  const { code, stderr } = await home.cargo(
    ["publish", "--no-verify", "--registry", "alt"],
    { cwd },
  );
  assertEquals(code, 0, stderr);
}

interface Mover {
  readonly name: string;
  readonly args: readonly string[];
  readonly authRequired?: boolean;
}

const MOVERS: readonly Mover[] = [
  { name: "yank", args: ["yank", "--registry", "alt", "foo@0.1.0"] },
  { name: "owner", args: ["owner", "--list", "--registry", "alt", "foo"] },
  {
    name: "an index read",
    args: ["search", "--registry", "alt", "foo"],
    authRequired: true,
  },
];

Deno.test("cargo moves a plaintext token when it reads it", async (t) => {
  await using store = await openRealStore();

  await t.step("on publish", async () => {
    await using home = await plaintextHome(store);
    const { indexUrl } = home.registry();
    const cwd = await home.crate("foo");
    const { code, stderr } = await home.cargo(
      ["publish", "--no-verify", "--registry", "alt"],
      { cwd },
    );
    assertEquals(code, 0, stderr);
    assertMatch(stderr, /Moved the token of `alt` from .*credentials\.toml to/);
    assertStringIncludes(stderr, "restore --registry alt");
    assertEquals(stderr.includes(TOKEN), false);
    assertEquals(await home.credentials(), WITHOUT_ALT);
    assertEquals(await store.token(home, indexUrl), TOKEN);
    await program(home, ["restore", "--registry", "alt"]);
  });

  for (const { name, args, authRequired } of MOVERS) {
    await t.step(`on ${name}`, async () => {
      await using home = await plaintextHome(store, {
        registries: {
          alt: { tokens: [TOKEN], authRequired: authRequired === true },
        },
      });
      const { indexUrl } = home.registry();
      if (authRequired !== true) {
        await home.configure(["cargo:token"]);
        await publishedCrate(home);
        await home.configure(CHAIN);
      }
      const { code, stderr } = await home.cargo(args);
      assertEquals(code, 0, stderr);
      assertEquals(await home.credentials(), WITHOUT_ALT);
      assertEquals(await store.token(home, indexUrl), TOKEN);
      // And from then on out of the store, in silence.
      const again = await home.cargo(
        name === "yank" ? ["yank", "--undo", ...args.slice(1)] : args,
      );
      assertEquals(again.code, 0, again.stderr);
      assertEquals(again.stderr.includes("keyring"), false, again.stderr);
    });
  }

  await t.step("on login: the older one goes", async () => {
    await using home = await plaintextHome(store);
    const { indexUrl } = home.registry();
    const { code, stderr } = await home.cargo(["login", "--registry", "alt"], {
      stdin: "a-newer-token\n",
    });
    assertEquals(code, 0, stderr);
    assertEquals(await home.credentials(), WITHOUT_ALT);
    assertEquals(await store.token(home, indexUrl), "a-newer-token");
  });
});

Deno.test("tokens from elsewhere win and move nothing", async (t) => {
  await using store = await openRealStore();
  await using home = await plaintextHome(store, {
    registries: { alt: { tokens: [TOKEN, "from-outside"] } },
    cratesIo: { tokens: ["from-outside", "crates-io-token"] },
  });
  const cwd = await home.crate("foo");
  await publishedCrate(home);
  assertEquals((await program(home, ["restore"])).code, 0);
  const before = await home.credentials();
  const yank = ["yank", "--registry", "alt", "foo@0.1.0"];

  await t.step("CARGO_REGISTRIES_ALT_TOKEN", async () => {
    const { code, stderr } = await home.cargo(yank, {
      cwd,
      env: { CARGO_REGISTRIES_ALT_TOKEN: "from-outside" },
    });
    assertEquals(code, 0, stderr);
  });
  await t.step("--token", async () => {
    const { code, stderr, launches } = await home.cargo(
      ["yank", "--undo", ...yank.slice(1), "--token", "from-outside"],
      { cwd },
    );
    assertEquals(code, 0, stderr);
    assertEquals(launches, 0);
  });
  await t.step("CARGO_REGISTRY_TOKEN", async () => {
    const { code, stderr } = await home.cargo(
      ["publish", "--no-verify"],
      { cwd, env: { CARGO_REGISTRY_TOKEN: "from-outside" } },
    );
    assertEquals(code, 0, stderr);
  });
  assertEquals(await home.credentials(), before);
  assertEquals(await store.token(home, CRATES_IO_INDEX), undefined);
  assertEquals(await store.token(home, home.registry().indexUrl), undefined);
});

Deno.test("migrate and restore are each other's reverse", async (t) => {
  await using store = await openRealStore();
  await using home = await plaintextHome(store);
  const { indexUrl } = home.registry();

  await t.step("--dry-run does nothing", async () => {
    const { code, stdout } = await program(home, ["migrate", "--dry-run"]);
    assertEquals(code, 0);
    assertMatch(stdout, /Would move crates-io/);
    assertMatch(stdout, /Would move alt/);
    assertEquals(await home.credentials(), FILE);
    assertEquals(await store.token(home, indexUrl), undefined);
  });

  await t.step("migrate moves all", async () => {
    const { code, stdout, stderr } = await program(home, ["migrate", "--json"]);
    assertEquals(code, 0, stderr);
    assertEquals(JSON.parse(stdout), {
      results: [
        {
          registry: "crates-io",
          index_url: CRATES_IO_INDEX,
          outcome: "migrated",
          reason: "to the Secret Service",
        },
        {
          registry: "alt",
          index_url: indexUrl,
          outcome: "migrated",
          reason: "to the Secret Service",
        },
      ],
    });
    assertEquals(parse(await home.credentials() ?? ""), {
      registry: {},
      registries: { alt: {} },
    });
    assertEquals(await store.token(home, indexUrl), TOKEN);
    assertEquals(await store.token(home, CRATES_IO_INDEX), "crates-io-token");
  });

  await t.step("again: nothing to do", async () => {
    const { code, stdout } = await program(home, ["migrate"]);
    assertEquals(code, 0);
    assertMatch(stdout, /nothing to do/);
  });

  await t.step("restore puts all back, warned beforehand", async () => {
    const { code, stdout, stderr } = await program(home, ["restore"]);
    assertEquals(code, 0, stdout);
    assertMatch(stderr, /PLAINTEXT/);
    assertEquals(parse(await home.credentials() ?? ""), {
      registry: { token: "crates-io-token" },
      registries: { alt: { token: TOKEN } },
    });
    assertEquals(await store.token(home, indexUrl), undefined);
  });

  await t.step("nothing moves back by itself", async () => {
    await publishedCrate(home);
    assertEquals(await store.token(home, indexUrl), undefined);
    const { code, stdout } = await program(home, ["migrate"]);
    assertEquals(code, 0);
    assertMatch(stdout, /Skipped alt/);
  });

  await t.step("--registry does", async () => {
    const { code, stdout } = await program(
      home,
      ["migrate", "--registry", "alt"],
    );
    assertEquals(code, 0, stdout);
    assertEquals(await store.token(home, indexUrl), TOKEN);
  });

  await t.step("--keep-store, then --keep-file: both keep it", async () => {
    await program(home, ["restore", "--registry", "alt", "--keep-store"]);
    assertEquals(await store.token(home, indexUrl), TOKEN);
    assertStringIncludes(await home.credentials() ?? "", TOKEN);
    const { code } = await program(home, ["migrate", "--keep-file"]);
    assertEquals(code, 0);
    assertStringIncludes(await home.credentials() ?? "", TOKEN);
    await home.cargo(["yank", "--registry", "alt", "foo@0.1.0"]);
    assertStringIncludes(await home.credentials() ?? "", TOKEN);
  });
});

Deno.test("two different tokens: nothing changes before somebody decides", async (t) => {
  await using store = await openRealStore();
  await using home = await plaintextHome(store);
  const { indexUrl } = home.registry();
  await home.configure(["cargo:libsecret"]);
  await home.cargo(["login", "--registry", "alt"], { stdin: "stored-token\n" });
  await home.configure(CHAIN);

  await t.step("get says so and uses the stored one", async () => {
    home.registry().tokens.add("stored-token");
    const { stderr } = await home.cargo(["owner", "--list", "-q", "foo"], {
      env: { CARGO_REGISTRY_DEFAULT: "alt" },
    });
    assertMatch(stderr, /different tokens for `alt`/);
    assertEquals(await home.credentials(), FILE);
    assertEquals(await store.token(home, indexUrl), "stored-token");
  });
  await t.step("migrate refuses", async () => {
    const { code, stdout } = await program(home, ["migrate"]);
    assertEquals(code, 1);
    assertMatch(stdout, /Conflict alt/);
    assertStringIncludes(await home.credentials() ?? "", TOKEN);
  });
  await t.step("--prefer file", async () => {
    const { code } = await program(home, [
      "migrate",
      "--registry",
      "alt",
      "--prefer",
      "file",
    ]);
    assertEquals(code, 0);
    assertEquals(await store.token(home, indexUrl), TOKEN);
    assertEquals((await home.credentials() ?? "").includes(TOKEN), false);
  });
});

Deno.test("a checkout that rebinds a name gets no token", async (t) => {
  await using store = await openRealStore();
  await using home = await plaintextHome(store, {
    registries: {
      alt: { tokens: [TOKEN] },
      evil: { authRequired: true, tokens: [TOKEN] },
    },
  });
  const evil = home.registry("evil");
  // The user does not know the other one.
  const config = (await Deno.readTextFile(`${home.cargoHome}/config.toml`))
    .replace(`[registries.evil]\nindex = "${evil.indexUrl}"\n`, "");
  await Deno.writeTextFile(`${home.cargoHome}/config.toml`, config);
  const cwd = await home.crate("checkout");
  await Deno.mkdir(`${cwd}/.cargo`);
  await Deno.writeTextFile(
    `${cwd}/.cargo/config.toml`,
    `[registries.alt]\nindex = "${evil.indexUrl}"\n`,
  );
  const saw = (): boolean =>
    evil.requests.some(({ authorization }) => authorization === TOKEN);

  await t.step("not on reading its index", async () => {
    const { code, stderr } = await home.cargo(
      ["search", "--registry", "alt", "x"],
      { cwd },
    );
    assertEquals(code, 101);
    assertStringIncludes(stderr, evil.indexUrl);
    assertStringIncludes(stderr, home.registry().indexUrl);
    assertStringIncludes(stderr, "migrate --registry alt");
    assertEquals(saw(), false);
  });
  await t.step("not from the environment", async () => {
    const { code } = await home.cargo(["search", "--registry", "alt", "x"], {
      cwd,
      env: { CARGO_REGISTRIES_ALT_TOKEN: TOKEN },
    });
    assertEquals(code, 101);
    assertEquals(saw(), false);
  });
  await t.step("not where there is no store", async () => {
    const { code } = await home.cargo(["search", "--registry", "alt", "x"], {
      cwd,
      env: { DBUS_SESSION_BUS_ADDRESS: "" },
    });
    assertEquals(code, 101);
    assertEquals(saw(), false);
  });
  await t.step("logout there leaves the user's token", async () => {
    await home.cargo(["logout", "--registry", "alt"], { cwd });
    assertEquals(await home.credentials(), FILE);
  });
  await t.step("login there leaves the user's token", async () => {
    await home.cargo(["login", "--registry", "alt"], {
      cwd,
      stdin: "for-the-other\n",
    });
    assertEquals(await home.credentials(), FILE);
    await home.cargo(["logout", "--registry", "alt"], { cwd });
    assertEquals(await home.credentials(), FILE);
  });
  await t.step(
    "migrate without names moves it to the user's URL only",
    async () => {
      const { stdout } = await program(
        home,
        ["migrate", "--dry-run", "--json"],
        {},
        cwd,
      );
      assertEquals(stdout.includes(evil.indexUrl), false);
    },
  );
  await t.step("the command that allows it asks, and then works", async () => {
    const command = ["migrate", "--registry", "alt"];
    const refused = await program(home, command, {}, cwd);
    assertEquals(refused.code, 1);
    assertMatch(refused.stdout, /--yes/);
    assertEquals(await home.credentials(), FILE);
    const allowed = await program(home, [...command, "--yes"], {}, cwd);
    assertEquals(allowed.code, 0, allowed.stdout);
    const { code, stderr } = await home.cargo(
      ["search", "--registry", "alt", "x"],
      { cwd },
    );
    assertEquals(code, 0, stderr);
    assert(saw());
  });
});

Deno.test("malformed TOML is cargo's own affair", async () => {
  await using store = await openRealStore();
  await using home = await plaintextHome(store);
  const broken = `[registries.alt]\ntoken = "${TOKEN}\n`;
  await home.writeCredentials(broken);
  const { code, stdout, stderr } = await program(home, ["migrate"]);
  assertEquals(code, 1);
  assertMatch(stderr, /not valid TOML \(line 2\)/);
  assertEquals(`${stdout}${stderr}`.includes(TOKEN), false);
  assertEquals(await home.credentials(), broken);
});
