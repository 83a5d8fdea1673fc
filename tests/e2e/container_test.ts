// The compiled program in an image with less than distroless/cc has: it, and
// the libraries of glibc and libgcc that it is linked with. No shell, no user
// database, no /proc and /dev. The launcher would need all of Deno there.

import { assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { copyPrograms, inherited, UNSHARE } from "../support/image.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { run, type RunResult } from "../support/run.ts";
import { onlyOn } from "../support/platform.ts";

const linux = onlyOn("linux", "containers are Linux's");

const program = Deno.env.get(PROGRAM_VARIABLE) ?? "";
const ignore = program === "";

const TOKEN = "container-token-20ee";
const HELLO = '{"v":[1]}\n';
const ANSWER = HELLO + '{"Ok":{"kind":"get","token":"' + TOKEN +
  '","cache":"session","operation_independent":true}}\n';
const PASSED_ON = HELLO + '{"Err":{"kind":"url-not-supported"}}\n';

type Env = Readonly<Record<string, string>>;

/** Makes the image. */
async function writeImage(root: string): Promise<void> {
  await Deno.mkdir(`${root}/run/secrets`, { recursive: true });
  await Deno.mkdir(`${root}/proc`);
  await copyPrograms([program], root);
  await Deno.copyFile(program, `${root}/cargo-credential-keyring`);
  await Deno.writeTextFile(`${root}/run/secrets/token`, `${TOKEN}\n`);
  await Deno.chmod(`${root}/run/secrets/token`, 0o444);
  await Deno.chmod(root, 0o755);
}

linux.test({
  name: "the compiled program runs in an image with glibc and libgcc alone",
  ignore,
  fn: async (t) => {
    const root = await Deno.makeTempDir({ prefix: "image-" });
    const inside = (
      args: readonly string[],
      env: Env = {},
      stdin = "",
    ): Promise<RunResult> =>
      run([
        ...UNSHARE,
        `--root=${root}`,
        "/cargo-credential-keyring",
        ...args,
      ], { env: { ...inherited(), HOME: "", ...env }, stdin });
    const ask = (request: Env, env?: Env): Promise<RunResult> => {
      const registry = {
        "index-url": "sparse+https://x.example/",
        name: "alt",
      };
      const line = JSON.stringify({ v: 1, registry, ...request });
      return inside(["--cargo-plugin"], env, `${line}\n`);
    };
    const get = { kind: "get", operation: "read" };
    try {
      await writeImage(root);
      const libraries = [...Deno.readDirSync(`${root}/lib`)].length;
      assertEquals(libraries, 1);

      await t.step("--version", async () => {
        const { code, stdout, stderr } = await inside(["--version"]);
        assertEquals([code, stderr], [0, ""]);
        assertMatch(stdout, /^cargo-credential-keyring \d/);
      });
      for (const CARGO_HOME of ["", "/cargo"]) {
        const home: Env = CARGO_HOME === "" ? {} : { CARGO_HOME };
        const title = CARGO_HOME === "" ? "without a home" : "with a home";

        await t.step(`a token from the environment, ${title}`, async () => {
          const { code, stdout, stderr } = await ask(get, {
            ...home,
            CARGO_REGISTRIES_ALT_TOKEN: TOKEN,
          });
          assertEquals([code, stdout, stderr], [0, ANSWER, ""]);
        });
        await t.step(`a token from a file, ${title}`, async () => {
          const { code, stdout } = await ask(get, {
            ...home,
            CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_ALT: "/run/secrets/token",
          });
          assertEquals([code, stdout], [0, ANSWER]);
        });
        await t.step(`a get without a store, ${title}`, async () => {
          const { code, stdout, stderr } = await ask(get, home);
          assertEquals([code, stdout], [0, PASSED_ON]);
          assertStringIncludes(stderr, "no D-Bus session bus");
        });
      }
      const CARGO_HOME = "/cargo";
      await t.step("a bus but no libsecret", async () => {
        using _bus = Deno.listen({
          transport: "unix",
          path: `${root}/run/bus`,
        });
        const { code, stdout, stderr } = await ask(get, {
          CARGO_HOME,
          DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/bus",
        });
        assertEquals([code, stdout], [0, PASSED_ON]);
        assertStringIncludes(stderr, "libsecret");
      });
      await t.step("a login without a store", async () => {
        const request = { kind: "login", token: TOKEN };
        const { code, stdout, stderr } = await ask(request, { CARGO_HOME });
        assertEquals([code, stdout], [0, PASSED_ON]);
        assertStringIncludes(stderr, "PLAINTEXT");
        assertEquals(stderr.includes(TOKEN), false);
      });
      // Without /proc Deno ends a process that asks where its program is.
      await t.step("a plaintext token and status, without /proc", async () => {
        await Deno.mkdir(`${root}/cargo`, { recursive: true });
        await Deno.writeTextFile(
          `${root}/cargo/config.toml`,
          '[registry]\nglobal-credential-providers = ["cargo:token", "/p"]\n',
        );
        await Deno.writeTextFile(
          `${root}/cargo/credentials.toml`,
          `[registries.alt]\ntoken = "${TOKEN}"\n`,
          { mode: 0o600 },
        );
        const { code, stdout } = await ask(get, { CARGO_HOME });
        assertEquals([code, stdout], [0, PASSED_ON]);
        assertEquals((await inside(["status"], { CARGO_HOME })).code, 0);
        await Deno.remove(`${root}/cargo/credentials.toml`);
      });
      await t.step("status, with /proc as containers have it", async () => {
        const { code, stdout, stderr } = await run([
          ...UNSHARE,
          "/bin/sh",
          "-c",
          `mount --rbind /proc "$1/proc" && exec chroot "$1" "$2" status`,
          "sh",
          root,
          "/cargo-credential-keyring",
        ], { env: { ...inherited(), HOME: "", CARGO_HOME } });
        assertEquals(code, 0, stderr);
        assertStringIncludes(stdout, "no D-Bus session bus");
      });
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  },
});
