// A checkout binds a name of the user's to a URL of its own. Wherever the
// user's token lies, and however the checkout spells the name: it is not sent
// there. (A checkout that lists `cargo:token` itself asks that before this
// program, and one that hides its binding from us is not seen: these are limits
// that docs/decisions.md names.)

import { assert, assertEquals } from "@std/assert";
import { LoopbackRegistry } from "../support/registry.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";

const TOKEN = "the-user's-own";
const CORP = `[registries.my-corp]\ntoken = "${TOKEN}"\n`;
const INDEX = "[registries.my-corp]\nindex = 'sparse+https://corp.example/'\n";
const LONG = `[x]\nx = "\\t${"a".repeat(130_000)}"\n`;

interface Scene {
  readonly config?: string;
  readonly credentials?: string;
  readonly env?: Record<string, string>;
  /** How the checkout spells the name. */
  readonly name?: string;
  /** Whether cargo asks for the URL alone. */
  readonly byUrl?: boolean;
  /** What the checkout's configuration has besides. */
  readonly more?: string;
}

const SCENES: [where: string, scene: Scene][] = [
  ["in the credentials file", { credentials: CORP }],
  ["in the credentials file, asked by URL", { credentials: CORP, byUrl: true }],
  ["in the configuration of cargo's home", {
    config: `${INDEX}token = "${TOKEN}"\n`,
  }],
  [
    "with its index in the credentials file, asked by URL",
    {
      config: "",
      credentials: INDEX + CORP.split("\n").slice(1).join("\n"),
      byUrl: true,
    },
  ],
  [
    "in a variable that is that of a name with a dot as well",
    {
      env: { CARGO_REGISTRIES_MY_CORP_TOKEN: TOKEN },
      name: '"my.corp"',
      byUrl: true,
    },
  ],
  ["in a file that we take for malformed", { credentials: CORP + LONG }],
  [
    "in the credentials file while the store is off",
    { credentials: CORP, env: { CARGO_CREDENTIAL_KEYRING_STORE: "off" } },
  ],
  [
    "in the credentials file, asked by URL and bound in a file that is too large",
    {
      credentials: CORP,
      byUrl: true,
      more: `x = [${"1,".repeat(400_000)}]\n`,
    },
  ],
];

for (const [where, scene] of SCENES) {
  Deno.test(`a checkout gets no token of the user's that lies ${where}`, async () => {
    const { config = INDEX, credentials, env = {}, name = "my-corp" } = scene;
    await using home = await TestHome.create({
      registries: {},
      providers: ["cargo:token", PROVIDER],
      env,
    });
    await using evil = LoopbackRegistry.start({ authRequired: true });
    const path = `${home.cargoHome}/config.toml`;
    await Deno.writeTextFile(path, config, { append: true });
    if (credentials !== undefined) await home.writeCredentials(credentials);
    const cwd = await home.crate("victim", '[dependencies]\nleak = "1"\n');
    await Deno.mkdir(`${cwd}/.cargo`);
    const source = scene.byUrl === true
      ? `[source.crates-io]\nreplace-with = "m"\n[source.m]\nregistry = "${evil.indexUrl}"\n`
      : "";
    await Deno.writeTextFile(
      `${cwd}/.cargo/config.toml`,
      `${
        scene.more ?? ""
      }${source}[registries.${name}]\nindex = "${evil.indexUrl}"\n`,
    );
    const args = scene.byUrl === true
      ? ["fetch"]
      : ["search", "--registry", "my-corp", "leak"];
    const { code, stderr } = await home.cargo(args, { cwd });
    assertEquals(code, 101, stderr);
    assert(evil.requests.length > 0, stderr);
    assert(!evil.sawToken(TOKEN), "the token was sent");

    // Without this program it is: the scene is no other than it seems.
    await home.cargo(args, {
      cwd,
      env: {
        CARGO_REGISTRY_GLOBAL_CREDENTIAL_PROVIDERS: "cargo:token",
      },
    });
    assert(evil.sawToken(TOKEN), "nobody would have sent it");
  });
}

Deno.test("the user's own word sends the token there, without a store as well", async () => {
  await using home = await TestHome.create({
    registries: {},
    providers: ["cargo:token", PROVIDER],
    env: { CARGO_REGISTRIES_MY_CORP_TOKEN: TOKEN, CI: "true" },
  });
  await using staging = LoopbackRegistry.start({
    authRequired: true,
    tokens: [TOKEN],
  });
  const path = `${home.cargoHome}/config.toml`;
  await Deno.writeTextFile(path, INDEX, { append: true });
  await Deno.mkdir(`${home.work}/.cargo`);
  await Deno.writeTextFile(
    `${home.work}/.cargo/config.toml`,
    `[registries.my-corp]\nindex = "${staging.indexUrl}"\n`,
  );
  const search = ["search", "--registry", "my-corp", "foo"];
  const { code, stderr } = await home.cargo(search);
  assertEquals(code, 101);
  const way = /`(CARGO_REGISTRIES_MY_CORP_INDEX)=(.*?)`/.exec(stderr);
  assert(way !== null, stderr);
  const [, variable = "", url = ""] = way;
  const second = await home.cargo(search, { env: { [variable]: url } });
  assertEquals(second.code, 0, second.stderr);
});

Deno.test("a project's large configuration holds nobody up who has bound the name", async () => {
  await using home = await TestHome.create({
    registries: { alt: { authRequired: true, tokens: [TOKEN] } },
    providers: ["cargo:token", PROVIDER],
  });
  await home.writeCredentials(`[registries.alt]\ntoken = "${TOKEN}"\n`);
  await Deno.mkdir(`${home.work}/.cargo`);
  await Deno.writeTextFile(
    `${home.work}/.cargo/config.toml`,
    `include = []\nx = [${"1,".repeat(3_000_000)}]\n`,
  );
  const { code, stderr } = await home.cargo(
    ["search", "--registry", "alt", "foo"],
    { limit: 30_000 },
  );
  assertEquals(code, 0, stderr);
});
