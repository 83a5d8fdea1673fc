// Tokens in files that are mounted, with real cargo: the examples of
// docs/secret_files.md as far as they can run without Docker, Kubernetes and
// an init system, files that hold no token, and an image without a shell.

import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "@std/assert";
import { fileURLToPath } from "node:url";
import { PERMISSIONS } from "../../scripts/program.ts";
import { toolchain } from "../support/cargo.ts";
import { copyPrograms, inherited, UNSHARE } from "../support/image.ts";
import { PROGRAM_VARIABLE } from "../support/program.ts";
import { findProgram, missing } from "../support/requirements.ts";
import { run, type RunResult } from "../support/run.ts";
import { PROVIDER, TestHome } from "../support/test_home.ts";
import {
  CREDENTIALS,
  notices,
  PLAINTEXT,
  SEARCH,
} from "./_plaintext_behind.ts";

const TOKEN = "secret-file-token-90c1";
const PROJECT = new URL("../../", import.meta.url);

/** The code blocks of the document, by their headings. */
async function examples(): Promise<ReadonlyMap<string, string>> {
  const text = await Deno.readTextFile(
    new URL("docs/secret_files.md", PROJECT),
  );
  return new Map(
    text.split(/^## /m).slice(1).map((section) => {
      const [heading = ""] = section.split("\n");
      const [, block = ""] = /^```\w+\n(.*?)^```/ms.exec(section) ?? [];
      return [heading, block];
    }),
  );
}

function find(text: string, pattern: RegExp): string {
  const [, found] = pattern.exec(text) ?? [];
  assert(found !== undefined, `${pattern} is not in the example:\n${text}`);
  return found;
}

/** The lines of this program's; cargo waits for what it has published. */
function ours(stderr: string): string[] {
  return notices(stderr).filter((line) => !/^note: waiting for/.test(line));
}

/** Publishes a crate where a file is mounted under /run as the script says. */
async function publish(
  env: Readonly<Record<string, string>>,
  mount: string,
): Promise<void> {
  await using home = await TestHome.create({
    cratesIo: { tokens: [TOKEN] },
    providers: [],
  });
  const told = (await examples()).get("How cargo is told of this program") ??
    "";
  const [, variable = "", list = ""] = /ENV (\S+)="(.*)"/.exec(told) ?? [];
  const providers = list.replace(/\/\S+/, home.provider);
  const crate = await home.crate("foo");
  const script = `set -e; umask 077; mount -t tmpfs none /run
secret() { mkdir -p "\${1%/*}"; printf '%s\\n' "$SECRET" >"$1"; chmod "$2" "$1"; }
${mount}
unset SECRET
exec "$@"`;
  const result = await run([
    ...UNSHARE,
    "/bin/sh",
    "-c",
    script,
    "sh",
    ...home.command(["publish", "--no-verify", "--allow-dirty"]),
  ], {
    cwd: crate,
    env: { ...home.env, ...env, [variable]: providers, SECRET: TOKEN },
  });
  assertEquals(result.code, 0, result.stderr);
  assertEquals(ours(result.stderr), []);
  assert(home.registry("crates-io").sawToken(TOKEN));
  assertEquals(await home.credentials(), undefined);
  assert(!`${result.stdout}${result.stderr}`.includes(TOKEN));
}

const FILE = "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE";

if (Deno.build.os === "linux") {
  Deno.test("the example for Docker publishes", async () => {
    const text = (await examples()).get("Docker: build secrets") ?? "";
    const id = find(text, /--mount=type=secret,id=(\S+),mode=0400/);
    const path = find(text, /CARGO_CREDENTIAL_KEYRING_TOKEN_FILE=(\S+)/);
    assertEquals(path, `/run/secrets/${id}`);
    await publish({ [FILE]: path }, `secret ${path} 400`);
  });

  Deno.test("the example for Compose publishes", async () => {
    const text = (await examples()).get("Compose") ?? "";
    const path = find(text, /CARGO_CREDENTIAL_KEYRING_TOKEN_FILE: (\S+)/);
    const id = find(text, /secrets:\n +- (\S+)/);
    assertStringIncludes(text, `  ${id}:\n    file:`);
    assertEquals(path, `/run/secrets/${id}`);
    await publish({ [FILE]: path }, `secret ${path} 400`);
  });

  Deno.test("the example for Kubernetes publishes", async () => {
    const text = (await examples()).get("Kubernetes") ?? "";
    const path = find(
      text,
      /name: CARGO_CREDENTIAL_KEYRING_TOKEN_FILE\n +value: (\S+)/,
    );
    const folder = find(text, /mountPath: (\S+)/);
    const file = find(text, / path: (\S+)/);
    assertEquals(path, `${folder}/${file}`);
    // /var/run is a link to /run, and the kubelet mounts links.
    const place = folder.replace(/^\/var/, "");
    await publish(
      { [FILE]: `${place}/${file}` },
      `
secret ${place}/..2026_11_25/${file} 400
ln -s ..2026_11_25 ${place}/..data
ln -s ..data/${file} ${place}/${file}`,
    );
  });

  Deno.test("the example for systemd publishes", async () => {
    const text = (await examples()).get("A systemd unit") ?? "";
    const name = find(text, /^LoadCredentialEncrypted=(\S+)$/m);
    // Where systemd puts them (systemd.exec(5)).
    const folder = "/run/credentials/publish.service";
    await publish(
      { CREDENTIALS_DIRECTORY: folder },
      `secret ${folder}/${name} 400`,
    );
  });
}

/** A home with a secret file, and a plaintext token behind it. */
async function withFile(
  content: string | undefined,
  providers: readonly string[],
  test: (home: TestHome, search: RunResult, path: string) => Promise<void>,
): Promise<void> {
  await using home = await TestHome.create({
    registries: { alt: { authRequired: true, tokens: [TOKEN, PLAINTEXT] } },
    providers,
  });
  await home.writeCredentials(CREDENTIALS);
  const path = `${home.root}/secret`;
  if (content !== undefined) {
    await Deno.writeTextFile(path, content, { mode: 0o600 });
  }
  const search = await home.cargo(SEARCH, {
    env: { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_ALT: path },
  });
  await test(home, search, path);
  assertEquals(await home.credentials(), CREDENTIALS);
}

Deno.test("a token in a file wins over the one in cargo's own, which stays", async () => {
  await withFile(
    `${TOKEN}\r\n`,
    ["cargo:token", PROVIDER],
    (home, { code, stderr }) => {
      assertEquals(code, 0, stderr);
      assertEquals(notices(stderr), []);
      assert(home.registry().sawToken(TOKEN));
      assert(!home.registry().sawToken(PLAINTEXT));
      return Promise.resolve();
    },
  );
});

Deno.test("a logout names the file of a token that it does not touch", async () => {
  await withFile(TOKEN, [PROVIDER], async (home, _search, path) => {
    const { stderr } = await home.cargo(["logout", "--registry", "alt"], {
      env: { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_ALT: path },
    });
    assertStringIncludes(stderr, `is also in ${path}`);
    assertEquals(await Deno.readTextFile(path), TOKEN);
    await home.writeCredentials(CREDENTIALS);
  });
});

Deno.test("cargo goes on, and says why, where a file holds no token", async () => {
  for (
    const [content, reason] of [
      [undefined, "is not there"],
      ["", "is empty"],
      [`${TOKEN}\nmore\n`, "has more than one line"],
    ] as const
  ) {
    await withFile(
      content,
      ["cargo:token", PROVIDER],
      (home, { code, stderr }, path) => {
        assertEquals(code, 0, stderr);
        assert(home.registry().sawToken(PLAINTEXT));
        const [line = ""] = notices(stderr);
        assertStringIncludes(line, "CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_ALT");
        assertStringIncludes(line, `${path}, which ${reason}`);
        assert(!stderr.includes(TOKEN));
        return Promise.resolve();
      },
    );
  }
});

Deno.test("cargo ends with the reason where nothing comes after a file without a token", async () => {
  await withFile("", [PROVIDER], (home, { code, stderr }) => {
    assertEquals(code, 101);
    assertMatch(stderr, /TOKEN_FILE_ALT` leads to .*, which is empty/);
    assert(!home.registry().sawToken(PLAINTEXT));
    return Promise.resolve();
  });
});

Deno.test("a token in a file is not sent to the URL of a checkout that takes its name", async () => {
  await using home = await TestHome.create({
    registries: { alt: {} },
    cratesIo: { authRequired: true, tokens: [TOKEN] },
    providers: ["cargo:token", PROVIDER],
  });
  const evil = home.registry("crates-io");
  const path = `${home.root}/secret`;
  await Deno.writeTextFile(path, TOKEN, { mode: 0o600 });
  await Deno.mkdir(`${home.work}/.cargo`);
  await Deno.writeTextFile(
    `${home.work}/.cargo/config.toml`,
    `[registries.alt]\nindex = "${evil.indexUrl}other/"\n`,
  );
  for (
    const env of [
      { CARGO_CREDENTIAL_KEYRING_TOKEN_FILE_ALT: path },
      { CREDENTIALS_DIRECTORY: home.root },
    ]
  ) {
    await Deno.copyFile(path, `${home.root}/cargo-registry-alt`);
    const { code, stderr } = await home.cargo(SEARCH, { env });
    assertEquals(code, 101, stderr);
    assertMatch(stderr, /your token is not sent there/);
    assert(!evil.sawToken(TOKEN));
  }
});

if (Deno.build.os === "linux") {
  Deno.test("an image without a shell publishes with a token from a file", async () => {
    await using home = await TestHome.create({ cratesIo: { tokens: [TOKEN] } });
    await home.crate("foo");
    const root = `${home.root}/image`;
    const { cargo, rustc } = await toolchain();
    await Deno.mkdir(`${root}/run/secrets`, { recursive: true });
    await copyPrograms([cargo, rustc], root);
    await writeProvider(root);
    await run(["cp", "--archive", `${home.work}/foo`, `${root}/foo`], {
      env: inherited(),
    });
    // What Rust opens for programs that are to read nothing.
    await Deno.mkdir(`${root}/dev`);
    await Deno.writeTextFile(`${root}/dev/null`, "");
    for (const folder of ["tmp", "cargo"]) {
      await Deno.mkdir(`${root}/${folder}`, { recursive: true });
    }
    await Deno.writeTextFile(`${root}/run/secrets/token`, TOKEN, {
      mode: 0o400,
    });
    await Deno.writeTextFile(
      `${root}/cargo/config.toml`,
      `[registry]\nglobal-credential-providers = ["/cargo-credential-keyring"]\n`,
    );
    for (const shell of ["bin/sh", "usr/bin/sh", "bin/bash", "bin/cat"]) {
      assertEquals(
        await Deno.stat(`${root}/${shell}`).catch(() => "none"),
        "none",
      );
    }
    const { code, stderr } = await run([
      ...UNSHARE,
      `--root=${root}`,
      "--wd=/foo",
      cargo,
      "publish",
      "--no-verify",
      "--allow-dirty",
    ], {
      env: {
        CARGO_HOME: "/cargo",
        DENO_DIR: "/tmp",
        RUSTC: rustc,
        CARGO_CREDENTIAL_KEYRING_TOKEN_FILE: "/run/secrets/token",
        ...Object.fromEntries(
          Object.entries(home.env).filter(([name]) =>
            name.startsWith("__CARGO_TEST")
          ),
        ),
      },
    });
    assertEquals(code, 0, stderr);
    assertEquals(ours(stderr), []);
    assert(home.registry("crates-io").sawToken(TOKEN));
  });
}

/**
 * The program under test in an image: the compiled one, or else the program in
 * one file, with a program that starts Deno with it. Where there is no shell
 * there are no scripts.
 */
async function writeProvider(root: string): Promise<void> {
  const provider = `${root}/cargo-credential-keyring`;
  const compiled = Deno.env.get(PROGRAM_VARIABLE);
  if (compiled !== undefined) {
    await copyPrograms([compiled], root);
    await Deno.copyFile(compiled, provider);
    return;
  }
  await copyPrograms([Deno.execPath()], root);
  const bundle = await run([
    Deno.execPath(),
    "bundle",
    "--quiet",
    "--output",
    `${root}/provider.js`,
    fileURLToPath(new URL("mod.ts", PROJECT)),
  ], { cwd: fileURLToPath(PROJECT), env: inherited() });
  assertEquals(bundle.code, 0, bundle.stderr);
  const command = [
    Deno.execPath(),
    "run",
    "--quiet",
    "--no-prompt",
    "--no-lock",
    "--no-config",
    ...PERMISSIONS,
    "/provider.js",
  ];
  const compiler = await findProgram("cc") ??
    missing("a C compiler", "apt-get install gcc libc6-dev");
  const source = `#include <unistd.h>
int main(int argc, char *argv[]) {
  char *command[64] = {${command.map((word) => JSON.stringify(word)).join()}};
  for (int i = 1; i < argc && i < 40; i++) command[${command.length} - 1 + i] = argv[i];
  execv(command[0], command);
  return 127;
}`;
  const built = await run(
    [compiler, "-x", "c", "-o", provider, "-"],
    { env: inherited(), stdin: source },
  );
  assertEquals(built.code, 0, built.stderr);
}
