// The compiled program in an image that holds nothing but what it is linked
// with, as distroless/cc does: no shell, no libsecret, no bus, no /proc.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { copyPrograms, UNSHARE } from "../support/image.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { run, type RunResult } from "../support/run.ts";

const COMPILED = Deno.env.get(PROGRAM_VARIABLE) ?? "";
const TOKEN = "container-token-7d";
const INDEX = "https://github.com/rust-lang/crates.io-index";

/** The image; without a compiled program there is nothing to put into it. */
class Image implements AsyncDisposable {
  private constructor(readonly root: string) {}

  static async create(): Promise<Image> {
    const root = await Deno.makeTempDir({ prefix: "image-" });
    for (const folder of ["cargo", "run/secrets", "work"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    await copyPrograms([COMPILED], root);
    await Deno.copyFile(COMPILED, `${root}/cargo-credential-keyring`);
    await Deno.writeTextFile(
      `${root}/cargo/config.toml`,
      '[registry]\nglobal-credential-providers = ["cargo:token", "/cargo-credential-keyring"]\n',
    );
    return new Image(root);
  }

  async run(
    args: readonly string[],
    options: { env?: Record<string, string>; stdin?: string } = {},
  ): Promise<RunResult> {
    return await run([
      ...UNSHARE,
      `--root=${this.root}`,
      "--wd=/work",
      "/cargo-credential-keyring",
      ...args,
    ], {
      env: { CARGO_HOME: "/cargo", ...options.env },
      stdin: options.stdin ?? "",
    });
  }

  /** Asks one thing as cargo does, and returns the answer and what was said. */
  async ask(
    request: Readonly<Record<string, unknown>>,
    env: Record<string, string> = {},
  ): Promise<{ answer: unknown; said: string }> {
    const { code, stdout, stderr } = await this.run(["--cargo-plugin"], {
      env,
      stdin: JSON.stringify({
        v: 1,
        registry: { "index-url": INDEX, name: "crates-io" },
        ...request,
      }) + "\n",
    });
    assertEquals(code, 0, stderr);
    const [hello = "", line = ""] = stdout.split("\n");
    assertEquals(JSON.parse(hello), { v: [1] });
    return { answer: JSON.parse(line), said: stderr };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Deno.remove(this.root, { recursive: true });
  }
}

const PUBLISH = {
  kind: "get",
  operation: "publish",
  name: "foo",
  vers: "1.0.0",
  cksum: "00",
};

Deno.test({
  name: "the compiled program runs in an image with the C library alone",
  // Nothing is compiled where there is no base: the suite says so.
  ignore: Deno.build.os !== "linux" || COMPILED === "",
  fn: async (t) => {
    await using image = await Image.create();
    await t.step("--version", async () => {
      const { code, stdout } = await image.run(["--version"]);
      assertEquals(code, 0);
      assertStringIncludes(stdout, "cargo-credential-keyring ");
    });
    await t.step("a get from the environment", async () => {
      const { answer, said } = await image.ask(PUBLISH, {
        CARGO_REGISTRY_TOKEN: TOKEN,
      });
      assertStringIncludes(JSON.stringify(answer), TOKEN);
      assertEquals(said, "");
    });
    await t.step("a get from a secret file", async () => {
      await Deno.writeTextFile(
        `${image.root}/run/secrets/token`,
        `${TOKEN}-file\n`,
        { mode: 0o400 },
      );
      const { answer } = await image.ask(PUBLISH, {
        CARGO_CREDENTIAL_KEYRING_TOKEN_FILE: "/run/secrets/token",
      });
      assertStringIncludes(JSON.stringify(answer), `${TOKEN}-file`);
    });
    await t.step(
      "a get without a store goes to the next provider",
      async () => {
        const { answer, said } = await image.ask(PUBLISH);
        assertStringIncludes(JSON.stringify(answer), "url-not-supported");
        assertMatch(said, /no D-Bus session bus/);
      },
    );
    await t.step(
      "a login without a store warns, and stores nothing",
      async () => {
        const { answer, said } = await image.ask({
          kind: "login",
          token: TOKEN,
        });
        const text = JSON.stringify(answer);
        assert(!text.includes('"Ok"'), text);
        assertMatch(said + text, /PLAINTEXT|plaintext|bus/);
        assert(!said.includes(TOKEN));
        const names = [...Deno.readDirSync(`${image.root}/cargo`)]
          .map(({ name }) => name);
        assert(!names.includes("credentials.toml"));
      },
    );
    await t.step("status and doctor say what is there", async () => {
      assertEquals((await image.run(["status"])).code, 0);
      const { stdout } = await image.run(["doctor"]);
      assertMatch(stdout, /bus/);
    });
  },
});
