// A plaintext token moves into the store on its first use, by any command of
// cargo's that needs it; what comes from elsewhere wins and moves nothing.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { parse } from "smol-toml";
import { openRealStore, type RealStore } from "../support/real_store.ts";
import { LoopbackRegistry } from "../support/registry.ts";
import { CRATES_IO_INDEX, PROVIDER, TestHome } from "../support/test_home.ts";

const TOKEN = "moved-token-3c90";
const OTHER = "token-of-another-registry";
const CREDENTIALS = `# my tokens
[registry]
token = "${TOKEN}"

[registries.alt]
# of the company
token = "${TOKEN}"

[registries.other]
token = '${OTHER}'
`;

let store: RealStore;
Deno.test.beforeAll(async () => {
  store = await openRealStore();
});
Deno.test.afterAll(async () => {
  await store[Symbol.asyncDispose]();
});

/** A home with plaintext tokens, a crate, and that crate published. */
async function plaintextHome(
  options: { readonly authRequired?: boolean } = {},
): Promise<TestHome> {
  const server = { ...options, tokens: [TOKEN] };
  const home = await TestHome.create({
    registries: { alt: server, other: { tokens: [OTHER] } },
    cratesIo: server,
    providers: ["cargo:token"],
    ...store.session,
  });
  await home.writeCredentials(CREDENTIALS);
  for (const registry of ["alt", "crates-io"]) {
    const { code, stderr } = await home.cargo(
      ["publish", "--no-verify", "--registry", registry],
      { cwd: await home.crate("foo") },
    );
    assertEquals(code, 0, stderr);
  }
  await home.configure(["cargo:token", PROVIDER]);
  assertEquals(await home.credentials(), CREDENTIALS);
  return home;
}

/** What the credentials file holds, registry by registry. */
async function tokensInFile(home: TestHome): Promise<unknown> {
  return parse(await home.credentials() ?? "");
}

const COMMANDS: Readonly<Record<string, readonly string[]>> = {
  publish: ["publish", "--no-verify"],
  yank: ["yank", "foo@0.1.0"],
  "yank --undo": ["yank", "--undo", "foo@0.1.0"],
  owner: ["owner", "--list", "foo"],
};

for (const [name, command] of Object.entries(COMMANDS)) {
  for (const registry of ["alt", "crates-io"]) {
    Deno.test(`cargo ${name} moves the token of ${registry}`, async () => {
      await using home = await plaintextHome();
      const indexUrl = registry === "alt"
        ? home.registry().indexUrl
        : CRATES_IO_INDEX;
      const cwd = await home.crate("bar");
      const args = [...command, "--registry", registry];

      const first = await home.cargo(args, { cwd });
      assertEquals(first.code, 0, first.stderr);
      assertStringIncludes(first.stderr, "Moved");
      assertEquals(await store.token(home, indexUrl), TOKEN);
      assertEquals(
        await tokensInFile(home),
        registry === "alt"
          ? {
            registry: { token: TOKEN },
            registries: { alt: {}, other: { token: OTHER } },
          }
          : {
            registry: {},
            registries: { alt: { token: TOKEN }, other: { token: OTHER } },
          },
      );
      const text = await home.credentials() ?? "";
      assertStringIncludes(text, "# my tokens\n");
      assertStringIncludes(text, `token = '${OTHER}'\n`);

      const second = await home.cargo(
        ["owner", "--list", "foo", "--registry", registry],
      );
      assertEquals(second.code, 0, second.stderr);
      assertEquals(second.stderr.includes("Moved"), false);
      assertEquals(await home.credentials(), text);

      const logout = await home.cargo(["logout", "--registry", registry]);
      assertEquals(logout.code, 0, logout.stderr);
      assertEquals(await store.token(home, indexUrl), undefined);
    });
  }
}

Deno.test("reading a private index moves its token", async () => {
  await using home = await plaintextHome({ authRequired: true });
  const { code, stderr } = await home.cargo(
    ["search", "--registry", "alt", "foo"],
  );
  assertEquals(code, 0, stderr);
  assertEquals(await store.token(home, home.registry().indexUrl), TOKEN);
  await home.cargo(["logout", "--registry", "alt"]);
});

Deno.test("a login removes the plaintext token that it supersedes", async () => {
  await using home = await plaintextHome();
  const { code, stderr } = await home.cargo(["login", "--registry", "alt"], {
    stdin: "a-newer-token\n",
  });
  assertEquals(code, 0, stderr);
  assertEquals(
    await store.token(home, home.registry().indexUrl),
    "a-newer-token",
  );
  assertEquals(await tokensInFile(home), {
    registry: { token: TOKEN },
    registries: { alt: {}, other: { token: OTHER } },
  });
  await home.cargo(["logout", "--registry", "alt"]);
});

Deno.test("a logout removes the plaintext token, too", async () => {
  await using home = await plaintextHome();
  const { code, stderr } = await home.cargo(["logout", "--registry", "alt"]);
  assertEquals(code, 0, stderr);
  assertEquals(await tokensInFile(home), {
    registry: { token: TOKEN },
    registries: { alt: {}, other: { token: OTHER } },
  });
  const after = await home.cargo(["yank", "--registry", "alt", "foo@0.1.0"]);
  assertEquals(after.code, 101);
  assertStringIncludes(after.stderr, "no token found");
});

Deno.test("a token from elsewhere wins and moves nothing", async (t) => {
  await using home = await plaintextHome();
  const given = "a-token-from-elsewhere";
  const ways: Record<string, [string, string[], Record<string, string>]> = {
    CARGO_REGISTRIES_ALT_TOKEN: [
      "alt",
      [],
      { CARGO_REGISTRIES_ALT_TOKEN: given },
    ],
    CARGO_REGISTRY_TOKEN: ["crates-io", [], { CARGO_REGISTRY_TOKEN: given }],
    "--token": ["alt", ["--token", given], {}],
  };
  for (const [way, [registry, args, env]] of Object.entries(ways)) {
    await t.step(way, async () => {
      const server = home.registry(registry);
      server.tokens.add(given);
      server.requests.length = 0;
      const { code, stderr } = await home.cargo(
        ["owner", "--list", "foo", "--registry", registry, ...args],
        { env },
      );
      assertEquals(code, 0, stderr);
      assert(server.sawToken(given));
      assertEquals(server.sawToken(TOKEN), false);
      assertEquals(await home.credentials(), CREDENTIALS);
      assertEquals(await store.token(home, server.indexUrl), undefined);
    });
  }
});

Deno.test("an empty environment token is reported by cargo, not replaced", async () => {
  await using home = await plaintextHome();
  home.registry().requests.length = 0;
  const { code, stderr } = await home.cargo(
    ["owner", "--list", "foo", "--registry", "alt"],
    { env: { CARGO_REGISTRIES_ALT_TOKEN: "" } },
  );
  assertEquals(code, 101);
  assertStringIncludes(stderr, "please provide a non-empty token");
  assertEquals(home.registry().sawToken(TOKEN), false);
  assertEquals(await home.credentials(), CREDENTIALS);
});

Deno.test("CI moves nothing and works", async () => {
  await using home = await plaintextHome();
  const { code, stderr } = await home.cargo(
    ["owner", "--list", "foo", "--registry", "alt"],
    { env: { CI: "true" } },
  );
  assertEquals(code, 0, stderr);
  assertEquals(await home.credentials(), CREDENTIALS);
  assertEquals(await store.token(home, home.registry().indexUrl), undefined);
});

Deno.test("a checkout that rebinds a registry's name gets no token", async (t) => {
  await using home = await plaintextHome();
  await using evil = LoopbackRegistry.start({ authRequired: true });
  const checkout = `${home.work}/checkout`;
  await Deno.mkdir(`${checkout}/.cargo`, { recursive: true });
  await Deno.writeTextFile(
    `${checkout}/.cargo/config.toml`,
    `[registries.alt]\nindex = "${evil.indexUrl}"\n`,
  );
  const there = { cwd: checkout };
  const sawNothing = (): void => {
    assert(evil.requests.length > 0, "was never asked");
    assertEquals(
      evil.requests.filter(({ authorization }) => authorization !== null),
      [],
    );
  };

  for (
    const args of [
      ["search", "--registry", "alt", "foo"],
      ["owner", "--list", "foo", "--registry", "alt"],
      ["yank", "foo@0.1.0", "--registry", "alt"],
    ]
  ) {
    await t.step(`${args[0]} with a plaintext token`, async () => {
      const { code, stderr } = await home.cargo(args, there);
      assertEquals(code, 101, stderr);
      assertStringIncludes(stderr, evil.indexUrl);
      assertStringIncludes(stderr, home.registry().indexUrl);
      sawNothing();
      assertEquals(await home.credentials(), CREDENTIALS);
    });
  }

  await t.step("search with an environment token", async () => {
    const { code } = await home.cargo(["search", "--registry", "alt", "foo"], {
      ...there,
      env: { CARGO_REGISTRIES_ALT_TOKEN: TOKEN },
    });
    assertEquals(code, 101);
    sawNothing();
  });

  await t.step("logout leaves the user's token", async () => {
    await home.cargo(["logout", "--registry", "alt"], there);
    assertEquals(await home.credentials(), CREDENTIALS);
  });

  await t.step("the user's own work goes on elsewhere", async () => {
    const { code, stderr } = await home.cargo(
      ["owner", "--list", "foo", "--registry", "alt"],
    );
    assertEquals(code, 0, stderr);
    assertEquals(await store.token(home, home.registry().indexUrl), TOKEN);
  });

  await t.step("and the stored token is not sent there either", async () => {
    const { code } = await home.cargo(
      ["search", "--registry", "alt", "foo"],
      there,
    );
    assertEquals(code, 101);
    sawNothing();
    await home.cargo(["logout", "--registry", "alt"]);
  });
});
