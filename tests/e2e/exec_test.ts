// `exec` and `token`: what other programs get of a stored token.

import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { quote } from "../../scripts/launcher.ts";
import { openRealStore, type RealStore } from "../support/real_store.ts";
import { run, type RunResult } from "../support/run.ts";
import { TestHome } from "../support/test_home.ts";

const TOKEN = "planted-exec-token";

let store: RealStore;
Deno.test.beforeAll(async () => {
  store = await openRealStore();
});
Deno.test.afterAll(async () => {
  await store[Symbol.asyncDispose]();
});

/** A home with one stored token, and what the program does there. */
class Scene implements AsyncDisposable {
  private constructor(readonly home: TestHome) {}

  static async create(): Promise<Scene> {
    const home = await TestHome.create({
      registries: {
        "my-alt": { authRequired: true, tokens: [TOKEN] },
        none: {},
      },
      ...store.session,
    });
    const { code, stderr } = await home.cargo(
      ["login", "--registry", "my-alt"],
      {
        stdin: `${TOKEN}\n`,
      },
    );
    assertEquals(code, 0, stderr);
    return new Scene(home);
  }

  async run(
    args: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunResult> {
    const { provider, work, env: own } = this.home;
    return await run([provider, ...args], {
      cwd: work,
      env: { ...own, ...env },
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.home.cargo(["logout", "--registry", "my-alt"]);
    await this.home[Symbol.asyncDispose]();
  }
}

/** What prints a variable and ends with a status, on every system. */
const SHOW = [
  Deno.execPath(),
  "eval",
  "console.log(Deno.env.get('CARGO_REGISTRIES_MY_ALT_TOKEN')); Deno.exit(7)",
];

Deno.test("exec gives a program the token, and its exit status back", async () => {
  await using scene = await Scene.create();
  const args = ["exec", "--registry", "my-alt", "--", ...SHOW];
  const { code, stdout, stderr } = await scene.run(args);
  assertEquals([code, stdout.trim(), stderr], [7, TOKEN, ""]);
});

Deno.test("exec lets a cargo publish that has no provider of ours", async () => {
  await using scene = await Scene.create();
  const { home } = scene;
  await home.configure(["cargo:token"]);
  const cwd = await home.crate("foo");
  const publish = ["publish", "--registry", "my-alt", "--allow-dirty"];
  assertEquals((await home.cargo(publish, { cwd })).code, 101);
  const { code, stderr } = await run([
    home.provider,
    "exec",
    "--registry",
    "my-alt",
    "--",
    ...home.command(publish),
  ], { cwd, env: home.env });
  assertEquals(code, 0, stderr);
  assertEquals(home.registry("my-alt").versions("foo"), ["0.1.0"]);
});

Deno.test("exec runs nothing where a token is missing", async () => {
  await using scene = await Scene.create();
  for (
    const [names, word] of [
      [["none"], "`none`: there is no token"],
      [["my-alt", "none"], "`none`: there is no token"],
      [["my-alt", "no-such-name"], "no configuration binds the name"],
      [[], "`crates-io`: there is no token"],
    ] as const
  ) {
    const options = names.flatMap((name) => ["--registry", name]);
    const { code, stdout, stderr } = await scene.run(
      ["exec", ...options, "--", ...SHOW],
    );
    assertEquals([code, stdout], [1, ""]);
    assertStringIncludes(stderr, word);
    assert(!stderr.includes(TOKEN), stderr);
  }
});

Deno.test("exec ends as a shell does where the program does not run", async () => {
  await using scene = await Scene.create();
  const { code, stderr } = await scene.run(
    ["exec", "--registry", "my-alt", "--", "no-such-program"],
  );
  assertEquals(code, 127);
  assertStringIncludes(stderr, "`no-such-program` was not found");
});

Deno.test("exec lets the environment win", async () => {
  await using scene = await Scene.create();
  const { stdout } = await scene.run(
    ["exec", "--registry", "my-alt", "--", ...SHOW],
    { CARGO_REGISTRIES_MY_ALT_TOKEN: "other" },
  );
  assertEquals(stdout.trim(), "other");
});

Deno.test("exec hands no token out for a URL that a project gave a name", async () => {
  await using scene = await Scene.create();
  const { home } = scene;
  await home.writeCredentials('[registries.none]\ntoken = "planted-file"\n');
  await Deno.mkdir(`${home.work}/.cargo`);
  await Deno.writeTextFile(
    `${home.work}/.cargo/config.toml`,
    '[registries.none]\nindex = "sparse+https://evil.example/index/"\n' +
      '[registries.my-alt]\nindex = "sparse+https://evil.example/index/"\n',
  );
  for (const name of ["none", "my-alt"]) {
    const { code, stdout, stderr } = await scene.run(
      ["exec", "--registry", name, "--", ...SHOW],
    );
    assertEquals([code, stdout], [1, ""], stderr);
    assert(!stderr.includes("planted"), stderr);
  }
});

if (Deno.build.os !== "windows") {
  Deno.test("exec keeps streams, descriptors and odd bytes", async () => {
    await using scene = await Scene.create();
    const look = `cat; printf %s "$ODD" | od -An -tx1; ls /proc/$$/fd`;
    const script = (command: string): string =>
      `ODD="$(printf 'caf\\351')" exec ${command} sh -c ${quote(look)}`;
    const sh = async (text: string): Promise<RunResult> =>
      await run(["/bin/sh", "-c", text], {
        stdin: "typed\n",
        cwd: scene.home.work,
        env: scene.home.env,
      });
    const direct = await sh(script(""));
    const through = await sh(
      script(`${quote(scene.home.provider)} exec --registry my-alt --`),
    );
    const [typed, odd, ...descriptors] = through.stdout.split("\n");
    assertEquals([typed, odd?.trim()], ["typed", "63 61 66 e9"]);
    // A script that starts the program may take one away for itself.
    const inherited = direct.stdout.split("\n");
    assert(
      descriptors.every((one) => inherited.includes(one)),
      through.stdout,
    );
  });
}

Deno.test("token prints the token of a registry that is named, and nothing else", async () => {
  await using scene = await Scene.create();
  const { code, stdout, stderr } = await scene.run(
    ["token", "--registry", "my-alt"],
  );
  assertEquals([code, stdout, stderr], [0, `${TOKEN}\n`, ""]);
});

Deno.test("token prints nothing where there is none, or none is named", async () => {
  await using scene = await Scene.create();
  const none = await scene.run(["token", "--registry", "none"]);
  assertEquals([none.code, none.stdout], [1, ""]);
  assertStringIncludes(none.stderr, "there is no token");
  const unnamed = await scene.run(["token"]);
  assertEquals([unnamed.code, unnamed.stdout], [2, ""]);
});

Deno.test("cargo credential-keyring runs the commands", async () => {
  await using scene = await Scene.create();
  const { home } = scene;
  const separator = Deno.build.os === "windows" ? ";" : ":";
  const PATH = `${home.root}/bin${separator}${home.env["PATH"] ?? ""}`;
  const { code, stdout, stderr } = await home.cargo(
    ["credential-keyring", "token", "--registry", "my-alt"],
    { env: { PATH } },
  );
  assertEquals([code, stdout], [0, `${TOKEN}\n`], stderr);
  const help = await home.cargo(["help", "credential-keyring"], {
    env: { PATH },
  });
  assertStringIncludes(help.stdout, "Usage: cargo-credential-keyring");
});
